"""What a deploy of the template makes of the functions on the local cloud: code, layer, and what a change changes."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import boto3
import pytest
from cloud_fixtures import LocalCloud
from lambda_support import picture

from infra import lambda_packages, stack
from project.names import Names
from project.settings import Settings


def with_one_more_file(archive: bytes) -> bytes:
    content = io.BytesIO(archive)
    with zipfile.ZipFile(content, "a") as more:
        more.writestr("lambdas/more.py", "")
    return content.getvalue()


def test_a_layer_of_what_is_installed_reaches_every_function_and_is_all_that_it_has(
    on_local_cloud: LocalCloud,
) -> None:
    names = Names(Settings(project="layered"))
    stack.deploy(names, print, layer="installed")
    assert stack.diff(names, layer="installed") == []
    client: Any = boto3.client("lambda")
    pages = client.get_paginator("list_functions").paginate()
    functions = [one for page in pages for one in page["Functions"] if one["FunctionName"].startswith("layered-")]
    layers = {one["FunctionName"]: [layer["Arn"].split(":")[6] for layer in one["Layers"]] for one in functions}
    assert set(map(tuple, layers.values())) == {("layered-libraries",)}
    s3: Any = boto3.client("s3")
    s3.put_object(Bucket=names.bucket, Key="a.png", Body=picture())
    request = json.dumps({"s3_bucket": names.bucket, "s3_key": "a.png"})

    def invoke() -> Any:
        return json.loads(client.invoke(FunctionName="layered-serialize-image", Payload=request)["Payload"].read())

    assert invoke()["outcome"] == "ok"
    client.update_function_configuration(FunctionName="layered-serialize-image", Layers=[])
    assert invoke()["errorType"] == "Runtime.ImportModuleError"


def test_a_change_of_code_changes_the_functions_once(
    on_local_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Names(Settings(project="changing"))
    stack.deploy(names, print, layer="none")
    assert stack.diff(names, layer="none") == []
    changed = with_one_more_file(lambda_packages.functions_zip())
    monkeypatch.setattr(lambda_packages, "functions_zip", lambda: changed)
    kinds = {change.type for change in stack.deploy(names, print, layer="none").changes}
    assert "AWS::Lambda::Function" in kinds
    assert not kinds & {"AWS::S3::Bucket", "AWS::SSM::Parameter", "AWS::SNS::Topic", "AWS::SQS::Queue"}
    client: Any = boto3.client("lambda")
    code = client.get_function(FunctionName="changing-serialize-image")["Configuration"]["CodeSize"]
    assert code == len(changed)
    assert stack.deploy(names, print, layer="none").changes == ()

"""Distributed maps over S3, as the developer guide's examples have them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from cloud_fixtures import LocalCloud, eventually
from stepfunctions_support import ROLE, client_of

PASS = {"Type": "Pass", "End": True}
GET = "arn:aws:states:::s3:getObject"
LIST = "arn:aws:states:::s3:listObjectsV2"
PUT = "arn:aws:states:::s3:putObject"


def _processor(kind: str = "STANDARD", **states: Any) -> dict[str, Any]:
    inner = states or {"Keep": PASS}
    config = {"Mode": "DISTRIBUTED", "ExecutionType": kind}
    return {"ProcessorConfig": config, "StartAt": next(iter(inner)), "States": inner}


BIG = {"Type": "Choice", "Choices": [{"Variable": "$", "NumericLessThan": 3, "Next": "Keep"}], "Default": "TooBig"}
PICKY = _processor(Sort=BIG, Keep=PASS, TooBig={"Type": "Fail", "Error": "TooBig", "Cause": "no place"})


@dataclass
class Maps:
    """Clients of a local cloud, a bucket, and what the tests do with a Map state."""

    sfn: Any
    s3: Any
    bucket: str

    def put(self, key: str, body: str | bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def reader(self, key: str, **config: Any) -> dict[str, Any]:
        return {"Resource": GET, "ReaderConfig": config, "Parameters": {"Bucket": self.bucket, "Key": key}}

    def start(self, name: str, value: Any = None, language: str = "JSONPath", **state: Any) -> str:
        made = {"ItemProcessor": _processor(), **state, "Type": "Map", "End": True}
        definition = json.dumps({"QueryLanguage": language, "StartAt": "Each", "States": {"Each": made}})
        machine = self.sfn.create_state_machine(name=name, roleArn=ROLE, definition=definition)["stateMachineArn"]
        started = self.sfn.start_execution(stateMachineArn=machine, input=json.dumps(value))
        return str(started["executionArn"])

    def ended(self, execution: str) -> dict[str, Any]:
        eventually(lambda: self.sfn.describe_execution(executionArn=execution)["status"] != "RUNNING", 60)
        return dict(self.sfn.describe_execution(executionArn=execution))

    def output(self, name: str, value: Any = None, **state: Any) -> Any:
        return json.loads(self.ended(self.start(name, value, **state))["output"])

    def run_of(self, execution: str) -> dict[str, Any]:
        (run,) = self.sfn.list_map_runs(executionArn=execution)["mapRuns"]
        return dict(self.sfn.describe_map_run(mapRunArn=run["mapRunArn"]))


@pytest.fixture
def maps(on_local_cloud: LocalCloud) -> Maps:
    addresses = on_local_cloud.addresses
    s3 = boto3.client("s3", endpoint_url=addresses.ministack)
    s3.create_bucket(Bucket="distributed-maps")
    return Maps(client_of(addresses.stepfunctions_port), s3, "distributed-maps")


def test_items_are_read_from_s3(maps: Maps) -> None:
    maps.put("rows.csv", '\ufeffid,name\n1,Ada\n2,"Bob, the\nsecond"\n3\n')
    rows = [{"id": "1", "name": "Ada"}, {"id": "2", "name": "Bob, the\nsecond"}, {"id": "3", "name": ""}]
    config: dict[str, Any] = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}
    assert maps.output("csv", ItemReader=maps.reader("rows.csv", **config)) == rows
    few = maps.reader("rows.csv", **config, MaxItemsPath="$.most")
    assert maps.output("csv-few", {"most": 2}, ItemReader=few) == rows[:2]
    maps.put("bare.txt", "1;Ada\n2;Bob\n")
    bare = {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["id", "name"], "CSVDelimiter": "SEMICOLON"}
    assert maps.output("csv-bare", ItemReader=maps.reader("bare.txt", **bare))[1] == {"id": "2", "name": "Bob"}
    maps.put("lines.jsonl", '{"a": 1}\n\n[2]\n')
    assert maps.output("jsonl", ItemReader=maps.reader("lines.jsonl", InputType="JSONL")) == [{"a": 1}, [2]]
    maps.put("deep.json", '{"x": {"y": [1, 2, 3]}}')
    deep = maps.reader("deep.json", InputType="JSON", ItemsPointer="/x/y", MaxItems=2)
    assert maps.output("json", ItemReader=deep) == [1, 2]


def test_items_are_the_objects_under_a_prefix(maps: Maps) -> None:
    for number in range(3):
        maps.put(f"pictures/{number}.png", b"x" * number)
    reader = {"Resource": LIST, "Parameters": {"Bucket": maps.bucket, "Prefix.$": "$.prefix"}}
    found = maps.output("listing", {"prefix": "pictures/"}, ItemReader=reader)
    assert [(item["Key"], item["Size"]) for item in found] == [(f"pictures/{n}.png", n) for n in range(3)]
    assert set(found[0]) == {"Etag", "Key", "LastModified", "Size", "StorageClass"}
    assert maps.output("listing-none", {"prefix": "none/"}, ItemReader=reader) == []


def test_an_inventory_names_its_items(maps: Maps) -> None:
    maps.put("inventory/data.csv", '"pictures","a.png"\n"pictures","b.png"\n')
    manifest = {
        "destinationBucket": f"arn:aws:s3:::{maps.bucket}",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key",
        "files": [{"key": "inventory/data.csv"}],
    }
    maps.put("inventory/manifest.json", json.dumps(manifest))
    found = maps.output("inventory", ItemReader=maps.reader("inventory/manifest.json", InputType="MANIFEST"))
    assert found == [{"Bucket": "pictures", "Key": "a.png"}, {"Bucket": "pictures", "Key": "b.png"}]


@pytest.mark.parametrize(
    ("key", "config", "cause"),
    [
        ("missing", {"InputType": "JSON"}, "NoSuchKey"),
        ("object.json", {"InputType": "JSON"}, "Attempting to map over non-iterable node."),
        ("twice.csv", {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}, "CSV headers cannot contain duplicates."),
    ],
)
def test_what_cannot_be_read_is_named(maps: Maps, key: str, config: dict[str, Any], cause: str) -> None:
    maps.put("object.json", "{}")
    maps.put("twice.csv", "a,a\n1,2\n")
    reader = maps.reader(key, **config)
    ended = maps.ended(maps.start(f"unread-{key.replace('.', '-')}", ItemReader=reader))
    assert ended["error"] == "States.ItemReaderFailed"
    assert cause in ended["cause"]


def test_items_are_batched_within_both_limits(maps: Maps) -> None:
    batcher = {"MaxItemsPerBatchPath": "$.most", "BatchInput": {"factory.$": "$.factory", "kind": "x"}}
    state = {"ItemsPath": "$.items", "ItemBatcher": batcher, "ItemSelector": {"n.$": "$$.Map.Item.Value"}}
    execution = maps.start("batched", {"items": [1, 2, 3], "most": 2, "factory": "north"}, **state)
    shared = {"BatchInput": {"factory": "north", "kind": "x"}}
    batches = [{**shared, "Items": [{"n": 1}, {"n": 2}]}, {**shared, "Items": [{"n": 3}]}]
    assert json.loads(maps.ended(execution)["output"]) == batches
    run = maps.run_of(execution)
    assert (run["itemCounts"]["succeeded"], run["executionCounts"]["succeeded"]) == (3, 2)
    children = maps.sfn.list_executions(mapRunArn=run["mapRunArn"])["executions"]
    assert sorted(child["itemCount"] for child in children) == [1, 2]
    limit = len(b'{"Items":["aaaa","aaaa"]}')
    found = maps.output("batched-bytes", ["a" * 4] * 5, ItemBatcher={"MaxInputBytesPerBatch": limit})
    assert [len(batch["Items"]) for batch in found] == [2, 2, 1]


def test_a_map_in_jsonata_batches_and_flattens(maps: Maps) -> None:
    output = maps.output(
        "jsonata",
        {"items": [5, 6, 7], "most": 2},
        language="JSONata",
        Items="{% $states.input.items %}",
        ItemSelector={"v": "{% $states.context.Map.Item.Value + 1 %}"},
        ItemBatcher={"MaxItemsPerBatch": "{% $states.input.most %}"},
        ItemProcessor=_processor(Give={**PASS, "Output": "{% [$states.input.Items.v] %}"}),
        ResultWriter={"WriterConfig": {"Transformation": "FLATTEN", "OutputType": "JSON"}},
    )
    assert output == [6, 7, 8]


def test_children_are_executions_with_histories(maps: Maps) -> None:
    context = {**PASS, "Parameters": {"id.$": "$$.Execution.Id", "machine.$": "$$.StateMachine.Id"}}
    execution = maps.start("children", ["x", "y"], Label="Row", ItemProcessor=_processor(Tell=context))
    told = json.loads(maps.ended(execution)["output"])
    run = maps.run_of(execution)
    assert run["mapRunArn"].startswith("arn:aws:states:us-east-1:000000000000:mapRun:children/Row:")
    pages = maps.sfn.get_paginator("list_executions").paginate(
        mapRunArn=run["mapRunArn"], PaginationConfig={"PageSize": 1}
    )
    children = [child for page in pages for child in page["executions"]]
    assert {child["executionArn"] for child in children} == {one["id"] for one in told}
    child = maps.sfn.describe_execution(executionArn=told[0]["id"])
    assert child["executionArn"] == f"arn:aws:states:us-east-1:000000000000:execution:children/Row:{child['name']}"
    assert child["stateMachineArn"] == told[0]["machine"] == run_machine("children/Row")
    assert (child["mapRunArn"], child["input"]) == (run["mapRunArn"], '"x"')
    machine = maps.sfn.describe_state_machine_for_execution(executionArn=child["executionArn"])
    assert (machine["label"], machine["mapRunArn"], machine["name"]) == ("Row", run["mapRunArn"], "children")
    assert json.loads(machine["definition"])["States"] == {"Tell": context}
    events = maps.sfn.get_execution_history(executionArn=child["executionArn"])["events"]
    assert [event["type"] for event in events][1:3] == ["PassStateEntered", "PassStateExited"]
    ours = maps.sfn.list_executions(stateMachineArn=run_machine("children"))["executions"]
    assert [one["executionArn"] for one in ours] == [execution]
    express = maps.start("children-express", ["x"], ItemProcessor=_processor("EXPRESS"))
    assert maps.ended(express)["output"] == '["x"]'
    (only,) = maps.sfn.list_executions(mapRunArn=maps.run_of(express)["mapRunArn"])["executions"]
    assert only["executionArn"].split(":")[5] == "express"
    assert maps.sfn.describe_execution(executionArn=only["executionArn"])["output"] == '"x"'
    with pytest.raises(ClientError, match="ResourceNotFound"):
        maps.sfn.list_executions(mapRunArn=run["mapRunArn"] + "0")


def run_machine(name: str) -> str:
    return f"arn:aws:states:us-east-1:000000000000:stateMachine:{name}"


def test_results_and_failures_are_written_to_s3(maps: Maps) -> None:
    writer = {"Resource": PUT, "Parameters": {"Bucket": maps.bucket, "Prefix": "results"}}
    execution = maps.start(
        "written", [1, 2, 3], ItemProcessor=PICKY, ToleratedFailurePercentage=40, ResultWriter=writer
    )
    output = json.loads(maps.ended(execution)["output"])
    run = maps.run_of(execution)
    folder = f"results/{run['mapRunArn'].split(':')[-1]}"
    place = {"Bucket": maps.bucket, "Key": f"{folder}/manifest.json"}
    assert output == {"MapRunArn": run["mapRunArn"], "ResultWriterDetails": place}
    files = {
        name: maps.s3.get_object(Bucket=maps.bucket, Key=f"{folder}/{name}_0.json")["Body"].read() for name in FILES
    }
    manifest = json.loads(maps.s3.get_object(**place)["Body"].read())
    assert (manifest["DestinationBucket"], manifest["MapRunArn"]) == (maps.bucket, run["mapRunArn"])
    expected = {name: [{"Key": f"{folder}/{name}_0.json", "Size": len(body)}] for name, body in files.items()}
    assert manifest["ResultFiles"] == {"PENDING": [], **expected}
    (failed,) = json.loads(files["FAILED"])
    assert (failed["Error"], failed["Cause"], failed["Input"], failed["Status"]) == (
        "TooBig",
        "no place",
        "3",
        "FAILED",
    )
    succeeded = json.loads(files["SUCCEEDED"])
    assert [(one["Input"], one["Output"]) for one in succeeded] == [("1", "1"), ("2", "2")]
    assert succeeded[0]["RedriveStatusReason"] == "Execution is SUCCEEDED and cannot be redriven"
    assert run["itemCounts"]["resultsWritten"] == 3


FILES = ("FAILED", "SUCCEEDED")


@pytest.mark.parametrize(
    ("limit", "status"),
    [
        ({}, "FAILED"),
        ({"ToleratedFailureCount": 1}, "FAILED"),
        ({"ToleratedFailureCount": 2}, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 49}, "FAILED"),
        ({"ToleratedFailurePercentagePath": "$.share"}, "SUCCEEDED"),
        ({"ToleratedFailureCountPath": "$.none"}, "FAILED"),
    ],
)
def test_too_many_failures_end_the_map_run(maps: Maps, limit: dict[str, Any], status: str, request: Any) -> None:
    value = {"items": [1, 3, 4, 2], "share": 50, "none": 0}
    name = "tolerated-" + "-".join(map(str, (*limit, *limit.values()))).replace("$.", "")
    execution = maps.start(name, value, ItemsPath="$.items", MaxConcurrency=1, ItemProcessor=PICKY, **limit)
    ended = maps.ended(execution)
    assert ended["status"] == maps.run_of(execution)["status"] == status
    if status == "FAILED":
        assert ended["error"] == "States.ExceedToleratedFailureThreshold"
        assert ended["cause"] == "The specified tolerated failure threshold was exceeded"
        return
    shown = json.loads(ended["output"])
    assert (shown[0], shown[3], shown[1]["Status"], shown[1]["Error"]) == (1, 2, "FAILED", "TooBig")


def test_a_map_run_that_runs_can_be_changed_and_ends_with_its_execution(maps: Maps) -> None:
    rest = _processor(Rest={"Type": "Wait", "Seconds": 600, "End": True})
    execution = maps.start("changed", list(range(5)), ItemProcessor=rest, MaxConcurrency=2)

    def running() -> int:
        runs = maps.sfn.list_map_runs(executionArn=execution)["mapRuns"]
        return maps.run_of(execution)["executionCounts"]["running"] if runs else 0

    eventually(lambda: running() == 2)
    run = maps.run_of(execution)
    assert (run["maxConcurrency"], run["executionCounts"]["pending"], run["itemCounts"]["total"]) == (2, 3, 5)
    maps.sfn.update_map_run(mapRunArn=run["mapRunArn"], maxConcurrency=4)
    eventually(lambda: running() == 4)
    maps.sfn.stop_execution(executionArn=execution)
    eventually(lambda: maps.run_of(execution)["status"] == "ABORTED")
    assert maps.run_of(execution)["executionCounts"]["aborted"] == 4
    with pytest.raises(ClientError, match="ValidationException"):
        maps.sfn.update_map_run(mapRunArn=run["mapRunArn"], maxConcurrency=1)


@pytest.mark.parametrize(
    ("state", "place"),
    [
        ({"ItemBatcher": {}}, "ItemBatcher"),
        ({"ResultWriter": {}}, "ResultWriter"),
        ({"ItemReader": {"Resource": GET, "ReaderConfig": {"InputType": "PARQUET"}, "Parameters": {}}}, "InputType"),
        ({"ItemBatcher": {"MaxItemsPerBatch": 1}, "ItemProcessor": {"StartAt": "K", "States": {"K": PASS}}}, "INLINE"),
    ],
)
def test_what_a_map_cannot_do_is_refused(maps: Maps, state: dict[str, Any], place: str) -> None:
    with pytest.raises(ClientError, match="InvalidDefinition") as refused:
        maps.start("refused", **state)
    assert place in str(refused.value) or "DISTRIBUTED" in str(refused.value)

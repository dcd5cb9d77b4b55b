"""A registered model on its staging endpoint: what the pipeline's last steps do, with models that do what a test says.

The steps are those of the rendered pipeline. Before them stands, in place of training, a package that the test makes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from cloud_fixtures import LocalCloud, eventually
from endpoint_support import PYTORCH_INFERENCE
from golden import GOLDEN
from story_support import NEVER_STARTS, Story

from localcloud.contract.definition import Step, steps

PROJECT = "staged-story"
ROLE = f"arn:aws:iam::000000000000:role/{PROJECT}-pipeline"
SCORES = [0.97, 0.03]
PICTURES = 12
MODEL = """
    import io, json
    from PIL import Image
    from sagemaker_inference.errors import BaseInferenceToolkitError

    def model_fn(folder):
        return None

    def transform_fn(model, body, content_type, accept):
        try:
            Image.open(io.BytesIO(body))
        except OSError:
            {broken}
        return json.dumps({answer}), "application/json"
"""
REFUSES = "raise BaseInferenceToolkitError(400, 'no picture', 'send another') from None"


def model(answer: list[float] = SCORES, broken: str = REFUSES) -> str:
    return MODEL.format(answer=answer, broken=broken)


@dataclass(frozen=True)
class Staged(Story):
    """A deployed project whose pipeline begins where a model was scored and registered."""

    def run(self, code: str, staging: str = "instance") -> dict[str, Any]:
        """Run it to its end: its status, steps by name, and the package."""
        arn = self.start(code, staging)
        eventually(lambda: self.describe(arn)["PipelineExecutionStatus"] not in ("Executing", "Stopping"))
        return {"status": self.describe(arn)["PipelineExecutionStatus"], "steps": self.steps(arn), "arn": arn}

    def start(self, code: str, staging: str) -> str:
        package = self.register(code)
        described = self.clients["sagemaker"].describe_model_package(ModelPackageName=package)
        data = described["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
        self.clients["sagemaker"].delete_model_package(ModelPackageName=package)
        self.clear()
        self.clients["sagemaker"].create_pipeline(
            PipelineName=PROJECT, PipelineDefinition=definition(data), RoleArn=ROLE
        )
        given = [{"Name": "Staging", "Value": staging}]
        started = self.clients["sagemaker"].start_pipeline_execution(PipelineName=PROJECT, PipelineParameters=given)
        return str(started["PipelineExecutionArn"])

    def clear(self) -> None:
        if self.clients["sagemaker"].list_pipelines(PipelineNamePrefix=PROJECT)["PipelineSummaries"]:
            self.clients["sagemaker"].delete_pipeline(PipelineName=PROJECT)

    def describe(self, arn: str) -> dict[str, Any]:
        found: dict[str, Any] = self.clients["sagemaker"].describe_pipeline_execution(PipelineExecutionArn=arn)
        return found

    def steps(self, arn: str) -> dict[str, Any]:
        listed = self.clients["sagemaker"].list_pipeline_execution_steps(PipelineExecutionArn=arn)
        return {step["StepName"]: step for step in listed["PipelineExecutionSteps"]}

    def package(self, ran: dict[str, Any]) -> dict[str, Any]:
        arn = ran["steps"]["RegisterModel"]["Metadata"]["RegisterModel"]["Arn"]
        found: dict[str, Any] = self.clients["sagemaker"].describe_model_package(ModelPackageName=arn)
        return found

    def left(self) -> list[str]:
        """Names of the staging endpoints that are there."""
        listed = self.clients["sagemaker"].list_endpoints(NameContains=f"{PROJECT}-staging-")["Endpoints"]
        return [one["EndpointName"] for one in listed]

    def configs(self, ran: dict[str, Any]) -> list[str]:
        """Names of the configurations of that execution that are there."""
        name = f"{PROJECT}-staging-{ran['arn'].rpartition('/')[2]}"
        listed = self.clients["sagemaker"].list_endpoint_configs(NameContains=name)
        return [one["EndpointConfigName"] for one in listed["EndpointConfigs"]]


def definition(data: str) -> str:
    """The golden pipeline's staging, after a model and a package of this data, with the scores that the story wrote."""
    text = (GOLDEN / "definition-pytorch.json").read_text(encoding="utf-8").replace("scones-unlimited", PROJECT)
    whole = json.loads(text)
    of = {step.name: step for step in steps(whole)}
    container = {"Image": PYTORCH_INFERENCE, "ModelDataUrl": data}
    register = {
        "ModelPackageGroupName": PROJECT,
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": {
            "Containers": [container],
            "SupportedContentTypes": ["application/x-image"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
        "CustomerMetadataProperties": {
            "staging": {"Get": "Parameters.Staging"},
            "execution": {"Get": "Execution.PipelineExecutionArn"},
        },
    }
    test = of["TestStaging"].body["Arguments"]
    bucket = f"s3://{PROJECT}-000000000000-us-east-1/executions"
    test |= {"pictures": f"{bucket}/made/test", "predictions": f"{bucket}/made/scores"}
    parameters = [one for one in whole["Parameters"] if one["Name"] == "Staging"]
    return json.dumps(
        {
            "Version": "2020-12-01",
            "Parameters": parameters,
            "Steps": [
                with_arguments(of["CreateModel"], PrimaryContainer=container, ExecutionRoleArn=ROLE),
                with_arguments(of["RegisterModel"], **register),
                of["CheckStaging"].body,
            ],
        }
    )


def with_arguments(step: Step, **arguments: Any) -> dict[str, Any]:
    return {**step.body, "Arguments": arguments}


@pytest.fixture(scope="module")
def story(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Staged:
    made = Staged.begin(local_cloud, PROJECT, tmp_path_factory.mktemp("staged"), "lambda")
    made.deploy()
    body = made.picture("grey.png", 128).read_bytes()
    for number in range(PICTURES):
        name = f"executions/made/{{}}/{number:02d}.png"
        made.clients["s3"].put_object(Bucket=made.bucket, Key=name.format("test"), Body=body)
        scores = json.dumps(SCORES).encode()
        made.clients["s3"].put_object(Bucket=made.bucket, Key=name.format("scores") + ".out", Body=scores)
    return made


def test_a_model_that_answers_as_it_was_scored_passes_and_nothing_stays(story: Staged) -> None:
    ran = story.run(model())
    assert ran["status"] == "Succeeded", ran["steps"]["TestStaging"].get("FailureReason")
    assert {step["StepStatus"] for step in ran["steps"].values()} == {"Succeeded"}
    package = story.package(ran)
    found = package["CustomerMetadataProperties"]
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert found["staging_outcome"] == "passed"
    assert found["staging_pictures"] == f"{PICTURES} of {PICTURES}"
    assert float(found["staging_largest_difference"]) <= 1e-4
    assert 0 < float(found["staging_p50_ms"]) <= float(found["staging_p95_ms"])
    assert int(found["staging_captured"]) >= 1
    eventually(lambda: not story.left())
    assert not story.configs(ran)
    done = story.scones("approve", str(package["ModelPackageVersion"]))
    assert f"staging passed ({PICTURES} of {PICTURES} test pictures, p50 " in done.stderr
    story.scones("reject", str(package["ModelPackageVersion"]))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (
            model([0.9698, 0.0302]),
            "12 of 12 answers differ from ScoreTestSet's by more than 0.0001, most for 00.png: 0.0002",
        ),
        (model(broken="pass"), "a damaged picture is answered like any other"),
        (NEVER_STARTS, "the endpoint is Failed: "),
    ],
    ids=["answers differently", "takes anything", "never comes up"],
)
def test_a_model_that_fails_is_rejected_with_the_reason_and_nothing_stays(
    story: Staged, code: str, reason: str
) -> None:
    ran = story.run(code)
    assert ran["status"] == "CompletedWithFailures", ran
    assert reason in ran["steps"]["TestStaging"]["FailureReason"]
    assert ran["steps"]["RemoveStaging"]["StepStatus"] == "Succeeded"
    package = story.package(ran)
    assert package["ModelApprovalStatus"] == "Rejected"
    assert reason in package["ApprovalDescription"]
    assert package["CustomerMetadataProperties"]["staging_outcome"] == "failed"
    eventually(lambda: not story.left())
    assert not story.configs(ran)


def test_a_serverless_endpoint_tries_a_model_out_without_captures(story: Staged) -> None:
    ran = story.run(model(), "serverless")
    assert ran["status"] == "Succeeded", ran["steps"]["TestStaging"].get("FailureReason")
    found = story.package(ran)["CustomerMetadataProperties"]
    assert (found["staging"], found["staging_outcome"]) == ("serverless", "passed")
    assert found["staging_captured"] == "not on this endpoint"
    eventually(lambda: not story.left())
    assert not story.configs(ran)


def test_staging_that_is_off_makes_nothing(story: Staged) -> None:
    ran = story.run(model(), "off")
    assert ran["status"] == "Succeeded"
    assert set(ran["steps"]) == {"CreateModel", "RegisterModel", "CheckStaging"}
    version = str(story.package(ran)["ModelPackageVersion"])
    assert "not tried on a staging endpoint" in story.scones("reject", version).stderr


def test_an_execution_that_is_stopped_leaves_no_endpoint(story: Staged) -> None:
    arn = story.start(model(), "instance")
    eventually(lambda: "StagingEndpoint" in story.steps(arn))
    story.clients["sagemaker"].stop_pipeline_execution(PipelineExecutionArn=arn)
    eventually(lambda: story.describe(arn)["PipelineExecutionStatus"] == "Stopped")
    assert "RemoveStaging" not in story.steps(arn)
    eventually(lambda: not story.left())
    package = story.package({"steps": story.steps(arn)})
    assert "staging_outcome" not in package["CustomerMetadataProperties"]
    done = story.scones("approve", str(package["ModelPackageVersion"]))
    assert "has no result of its staging endpoint" in done.stderr
    story.scones("reject", str(package["ModelPackageVersion"]))


def test_cleanup_finds_a_staging_endpoint_that_stayed(story: Staged) -> None:
    sagemaker, name = story.clients["sagemaker"], f"{PROJECT}-staging-0123456789ab"
    container = {"ModelPackageName": story.register(model(), ModelApprovalStatus="Approved")}
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    for config in (f"{name}-instance", f"{PROJECT}-staging-of-somebody-else"):
        variant = {"VariantName": "A", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
        sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=f"{name}-instance")
    listed = story.scones("cleanup", "--dry-run").stdout
    assert f"{name}-instance" in listed and f" {name} " in f"{listed} " and "of-somebody-else" not in listed
    eventually(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")
    sagemaker.delete_endpoint(EndpointName=name)

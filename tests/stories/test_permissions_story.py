"""What every role's code calls, recorded while the whole story runs with enforced roles, and judged by the policies."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import recorded_calls
from capture_files import CLASSES, picture
from cloud_fixtures import LocalCloud, client_of_iam, eventually
from iam_support import RESOURCES
from lambda_calls import operations
from recorded_calls import Call
from story_support import BY_BRIGHTNESS, NEVER_STARTS, Story

from monitoring.analysis import baseline
from monitoring.analysis.features import USUAL

PROJECT = "permitted-story"
BUCKET = f"{PROJECT}-000000000000-us-east-1"
NOT_HERE = {"application-autoscaling"}
"""Services without a local counterpart (docs/limitations.md); tests/infra holds the roles to what they ask for."""
NOTHING_TO_DO = {
    "Version": "2020-12-01",
    "Parameters": [{"Name": "StartReason", "Type": "String", "DefaultValue": "by hand"}],
    "Steps": [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "There is nothing to train here."}}],
}

ANNOUNCE_SECONDS = 10.0


@dataclass(frozen=True)
class Project(Story):
    """A deployed project without a live version."""

    def register_with_baseline(self, code: str, execution: str) -> None:
        """A version that this execution has trained and measured."""
        files = {
            name.removesuffix(".json").title(): self.document(f"executions/one/Evaluate/baseline/{name}", document)
            for name, document in self.baseline().items()
        }
        properties = {"classes": " ".join(CLASSES), "execution": execution}
        self.register(code, DriftCheckBaselines={"ModelDataQuality": files}, CustomerMetadataProperties=properties)

    def baseline(self) -> dict[str, Any]:
        random, files = np.random.default_rng(1), []
        for number in range(20):
            files.append(self.folder / f"baseline-{number}.png")
            files[-1].write_bytes(picture(random))
        found: dict[str, Any] = baseline.of_test_set(files, np.tile([0.97, 0.03], (20, 1)), CLASSES, USUAL)
        return found

    def calls(self) -> set[Call]:
        made = recorded_calls.read(self.cloud.record)
        made |= recorded_calls.of_executions(self.cloud.addresses.ministack)
        return {call for call in made if call.project == PROJECT}


@pytest.fixture(scope="module")
def project(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Project:
    services = ("ssm", "lambda", "cloudwatch")
    made = Project.begin(local_cloud, PROJECT, tmp_path_factory.mktemp("permitted"), *services)
    made.deploy()
    return made


@pytest.fixture(scope="module")
def calls(project: Project) -> set[Call]:
    """All that was called between a first approval and a last alert."""
    execution = trained(project)
    for number, (code, end) in enumerate([(NEVER_STARTS, 1), (BY_BRIGHTNESS, 0), (BY_BRIGHTNESS, 0)]):
        project.register_with_baseline(code, execution)
        project.scones("approve", "--wait", expect=end)
        if number == 1:
            sent_pictures(project)
    watched(project)
    told(project)
    staged(project)
    project.call("retrain", id="5e4c7d2a-0000-4000-8000-000000000001", detail={"reason": "drift of brightness"})
    return project.calls()


def trained(project: Project) -> str:
    """An execution of the project's pipeline, which has no steps worth mentioning."""
    sagemaker = project.clients["sagemaker"]
    role = f"arn:aws:iam::000000000000:role/{PROJECT}-pipeline"
    definition = json.dumps(NOTHING_TO_DO)
    sagemaker.create_pipeline(PipelineName=PROJECT, PipelineDefinition=definition, RoleArn=role)
    arn: str = sagemaker.start_pipeline_execution(PipelineName=PROJECT)["PipelineExecutionArn"]
    described = sagemaker.describe_pipeline_execution
    eventually(lambda: described(PipelineExecutionArn=arn)["PipelineExecutionStatus"] == "Failed")
    return arn


def sent_pictures(project: Project) -> None:
    project.scones("invoke", str(project.picture("white.png", 255)))
    project.scones("invoke", str(project.picture("grey.png", 128)), expect=1)
    for shade in (0, 128, 255):
        project.clients["s3"].upload_file(str(project.picture(f"{shade}.png", shade)), BUCKET, f"week/{shade}.png")
    project.scones("batch", "week/")


def watched(project: Project) -> None:
    """Runs of the monitor, by hand and by both schedulers."""
    since = (datetime.now(UTC) - timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%S")
    project.scones("monitor", "run", "--since", since, expect=4)  # too few pictures to judge
    project.scheduler("eventbridge")
    for _ in range(2):
        project.scones("monitor", "schedule", "on")
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)  # as the schedule's runs end
    missed = {**project.attached(), "analysed_until": int((hour - timedelta(hours=30)).timestamp())}
    project.clients["ssm"].put_parameter(
        Name=f"/{PROJECT}/monitoring/attached", Value=json.dumps(missed), Type="String", Overwrite=True
    )
    started = project.call("monitor", action="start")
    assert started["outcome"] == "ok", started
    project.scones("monitor", "schedule", "off")
    described = project.clients["sagemaker"].describe_processing_job
    eventually(lambda: described(ProcessingJobName=started["job"])["ProcessingJobStatus"] == "Completed")


def staged(project: Project) -> None:
    """A model that is tried on a staging endpoint, one that has none, and what is left to remove."""
    sagemaker, s3 = project.clients["sagemaker"], project.clients["s3"]
    package = project.register(BY_BRIGHTNESS)
    described = sagemaker.describe_model_package(ModelPackageName=package)
    container = described["InferenceSpecification"]["Containers"][0]
    container = {member: container[member] for member in ("Image", "ModelDataUrl")}
    execution = sagemaker.list_pipeline_executions(PipelineName=PROJECT)["PipelineExecutionSummaries"][0]
    execution_id = execution["PipelineExecutionArn"].rpartition("/")[2]
    name, role = f"{PROJECT}-staging-{execution_id}", f"arn:aws:iam::000000000000:role/{PROJECT}-pipeline"
    place = f"executions/{execution_id}"
    white = project.picture("tried.png", 255).read_bytes()
    for key, body in (("test/1.png", white), ("scores/1.png.out", b"[0.97, 0.03]")):
        s3.put_object(Bucket=BUCKET, Key=f"{place}/{key}", Body=body)
    event = {"step": "test", "execution": execution_id, "package": package, "staging": "instance"}
    folders = {"pictures": "test", "predictions": "scores", "captures": "StagingEndpoint/captures"}
    event |= {what: f"s3://{BUCKET}/{place}/{folder}" for what, folder in folders.items()}
    event["result"] = f"s3://{BUCKET}/{place}/TestStaging/staging.json"
    with pytest.raises(AssertionError, match="StagingGone"):
        project.call("staging", **event)
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role)
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": event["captures"],
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }
    config = f"{name}-instance"
    sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[variant], DataCaptureConfig=capture)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
    eventually(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")
    with pytest.raises(AssertionError, match="a damaged picture is not refused"):  # this model's own way
        project.call("staging", **event)
    assert project.call("staging", step="remove", execution=execution_id) == {"removed": name}


def told(project: Project) -> None:
    """An alarm that fires and is over: people hear of both.

    Whenever any endpoint of the local cloud sends its metrics MiniStack judges every alarm anew: hence again and again.
    """
    alarm, s3 = f"{PROJECT}-endpoint-5xx", project.clients["s3"]

    def known(state: str) -> bool:
        project.clients["cloudwatch"].set_alarm_state(AlarmName=alarm, StateValue=state, StateReason="a test")
        listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="alerts/open/endpoint-5xx")
        return bool(listed["KeyCount"])

    eventually(lambda: known("ALARM"))
    announced = time.monotonic()

    def over() -> bool:
        """Messages of both states cross when they are this close together: it is announced anew now and then."""
        nonlocal announced
        if time.monotonic() - announced > ANNOUNCE_SECONDS:
            known("ALARM")
            announced = time.monotonic()
        return not known("OK")

    eventually(over)
    eventually(lambda: called(project.calls(), "AlertRole") >= operations("alert"))


def called(calls: set[Call], role: str) -> set[tuple[str, str]]:
    """`(service, operation)` of a role's calls."""
    pairs = (call.call.partition(":") for call in calls if call.role == role)
    return {(service, operation) for service, _, operation in pairs}


def test_the_story_makes_every_call_that_is_in_the_functions_source(calls: set[Call]) -> None:
    for role in recorded_calls.FUNCTIONS.values():
        function = RESOURCES[role.removesuffix("Role")]["Properties"]["Handler"].split(".")[1]
        expected = {(service, operation) for service, operation in operations(function) if service not in NOT_HERE}
        assert called(calls, role) == expected, function


def test_every_role_that_calls_aws_was_recorded(calls: set[Call]) -> None:
    acting = {*recorded_calls.FUNCTIONS.values(), *recorded_calls.MACHINES.values(), "PipelineRole", "ModelRole"}
    assert {call.role for call in calls} == acting


def test_every_recorded_call_is_allowed_to_its_role(project: Project, calls: set[Call]) -> None:
    assert recorded_calls.refused(client_of_iam(project.cloud.addresses), calls) == []


def test_a_role_that_lacks_an_action_which_was_called_is_found_and_the_action_named(
    project: Project, calls: set[Call]
) -> None:
    iam = client_of_iam(project.cloud.addresses)
    needed = {(call.role, request.action) for call in calls for request in call.requests}
    for role, action in sorted(needed):
        lines = recorded_calls.refused(iam, {call for call in calls if call.role == role}, lacking=action)
        assert lines, f"nothing notices that {role} lacks {action}"
        assert all(f"{role} of {PROJECT} may not {action} on " in line for line in lines)

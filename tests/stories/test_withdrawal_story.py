"""Deployments that must not, or must, go through: a version rejected meanwhile, the repair of a broken live model."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cloud_fixtures import LocalCloud, eventually
from story_support import BY_BRIGHTNESS, Story

PROJECT = "withdrawal-story"
BAKE_SECONDS = 10


def waits_for(port: int) -> str:
    """A model's code that is loaded when somebody listens on the port: it sees no file that the test could make."""
    return f"""
    import socket, time
    while socket.socket().connect_ex(("127.0.0.1", {port})):
        time.sleep(0.05)
    {BY_BRIGHTNESS}"""


def breaks_with(port: int) -> str:
    """A model's code that answers until somebody listens on the port, and fails at every picture from then on."""
    return f"""
    import socket

    def model_fn(folder):
        return None

    def transform_fn(model, body, content_type, accept):
        with socket.socket() as asking:
            if asking.connect_ex(("127.0.0.1", {port})) == 0:
                raise RuntimeError("this model is broken")
        return "[0.1, 0.9]", "application/json"
    """


@pytest.fixture(scope="module")
def deployed(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Story:
    project = Story.begin(local_cloud, PROJECT, tmp_path_factory.mktemp("withdrawal"), "ssm", "cloudwatch")
    settings = project.folder / "scones.toml"
    settings.write_text(settings.read_text().replace("bake_seconds = 0", f"bake_seconds = {BAKE_SECONDS}"))
    project.deploy()
    return project


@pytest.fixture
def project(deployed: Story) -> Iterator[Story]:
    """A deployed project; nothing is live before and after."""
    yield deployed
    for arn in approved_versions(deployed):
        deployed.scones("reject", arn, "--wait")
    assert endpoint(deployed) is None


def approved_versions(project: Story) -> list[str]:
    found = project.clients["sagemaker"].list_model_packages(
        ModelPackageGroupName=PROJECT, ModelApprovalStatus="Approved"
    )
    return [one["ModelPackageArn"] for one in found["ModelPackageSummaryList"]]


def endpoint(project: Story) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = project.clients["sagemaker"].describe_endpoint(EndpointName=PROJECT)
    except ClientError:
        return None
    return found


def is_baking(project: Story) -> bool:
    summary = (endpoint(project) or {}).get("PendingDeploymentSummary", {"ProductionVariants": []})
    states = [state["Status"] for one in summary["ProductionVariants"] for state in one.get("VariantStatus", [])]
    return "Baking" in states


def live(project: Story) -> str | None:
    value = project.clients["ssm"].get_parameter(Name=f"/{PROJECT}/inference/live-model")["Parameter"]["Value"]
    arn: str | None = json.loads(value).get("model_package_arn")
    return arn


def number(arn: str) -> str:
    return arn.rpartition("/")[2]


def test_a_version_that_is_rejected_while_it_bakes_gives_way_to_the_one_before(project: Story) -> None:
    first = project.register()
    project.scones("approve", "--wait")
    before = endpoint(project)
    assert before
    second = project.register()
    with ThreadPoolExecutor(1) as threads:
        approving = threads.submit(project.scones, "approve", second, "--wait", expect=1)
        eventually(lambda: is_baking(project) or approving.done())
        rejected = project.scones("reject", second, "--wait")
        approved = approving.result()
    told = f"Version {number(second)} is being deployed: the deploy workflow puts version {number(first)} back."
    assert told in rejected.stderr
    assert f"Version {number(first)} of {PROJECT} is live on endpoint {PROJECT}." in rejected.stderr
    withdrawn = f"The approval of version {number(second)} was withdrawn (it is Rejected)"
    assert f"{withdrawn}: version {number(first)} is live." in approved.stderr
    after = endpoint(project)
    assert after
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", before["EndpointConfigName"])
    assert live(project) == first
    assert project.scones("invoke", str(project.picture("white.png", 255))).stdout.startswith("near  bicycle")


def test_a_first_version_that_is_rejected_while_its_endpoint_is_created_leaves_no_endpoint(project: Story) -> None:
    go = socket.socket()
    go.bind(("127.0.0.1", 0))
    arn = project.register(waits_for(go.getsockname()[1]))
    with go, ThreadPoolExecutor(2) as threads:
        approving = threads.submit(project.scones, "approve", arn, "--wait", expect=1)
        eventually(lambda: (endpoint(project) or {}).get("EndpointStatus") == "Creating" or approving.done())
        rejecting = threads.submit(project.scones, "reject", arn, "--wait")
        eventually(lambda: arn not in approved_versions(project) or rejecting.done())
        go.listen()
        approved, rejected = approving.result(), rejecting.result()
    print(approved, rejected)
    told = f"Version {number(arn)} is being deployed, and no other version is approved: the deploy workflow deletes"
    assert told in rejected.stderr
    assert f"The approval of version {number(arn)} was withdrawn (it is Rejected): no version of" in approved.stderr
    assert endpoint(project) is None
    assert live(project) is None


def failing_alarm(project: Story) -> str:
    """The state of the endpoint's alarm on 5XX answers."""
    found = project.clients["cloudwatch"].describe_alarms(AlarmNames=[f"{PROJECT}-endpoint-5xx"])["MetricAlarms"]
    return str(found[0]["StateValue"])


@pytest.fixture
def broken() -> Iterator[socket.socket]:
    """Once it listens, the model of `breaks_with` fails."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound


def test_a_broken_live_model_is_replaced_however_loud_its_alarm_rings(project: Story, broken: socket.socket) -> None:
    """AWS's "Auto-Rollback Configuration and Monitoring": an alarm on both fleets would end the deployment."""
    project.register(breaks_with(broken.getsockname()[1]))
    project.scones("approve", "--wait")
    broken.listen()
    white = str(project.picture("white.png", 255))
    assert "this model is broken" in project.scones("invoke", white, expect=1).stderr
    where = {"EndpointName": PROJECT, "VariantName": "AllTraffic"}
    of_old_fleet = {
        "MetricName": "Invocation5XXErrors",
        "Dimensions": [{"Name": name, "Value": value} for name, value in where.items()],
        "Value": 1.0,
    }
    minutes = [{**of_old_fleet, "Timestamp": time.time() - 60 * ago} for ago in range(12)]
    project.clients["cloudwatch"].put_metric_data(Namespace="AWS/SageMaker", MetricData=minutes)
    eventually(lambda: failing_alarm(project) == "ALARM", patience=40)
    repair = project.register()
    told = project.scones("approve", repair, "--wait").stderr
    assert f"Version {number(repair)} of {PROJECT} is live" in told
    assert f"Before this deployment began, alarm {PROJECT}-endpoint-5xx stood already." in told
    assert project.scones("invoke", white).stdout.startswith("near  bicycle")
    listed = project.clients["cloudwatch"].describe_alarms(AlarmNamePrefix=f"{PROJECT}-v")["MetricAlarms"]
    assert listed == [], "the alarms of the update are gone"


def test_a_new_fleet_whose_alarm_rings_while_it_bakes_goes_back(project: Story) -> None:
    first = project.register()
    project.scones("approve", "--wait")
    second = project.register()
    cloudwatch = project.clients["cloudwatch"]
    with ThreadPoolExecutor(1) as threads:
        approving = threads.submit(project.scones, "approve", second, "--wait", expect=1)
        eventually(lambda: is_baking(project) or approving.done())
        watched = cloudwatch.describe_alarms(AlarmNamePrefix=f"{PROJECT}-v{number(second)}-")["MetricAlarms"]
        [errors] = [one for one in watched if one["MetricName"] == "Invocation5XXErrors"]
        failures = {"MetricName": "Invocation5XXErrors", "Dimensions": errors["Dimensions"], "Value": 1.0}
        now = time.time()
        cloudwatch.put_metric_data(
            Namespace="AWS/SageMaker", MetricData=[{**failures, "Timestamp": now - 60 * ago} for ago in range(3)]
        )
        told = approving.result().stderr
    assert f"alarm(s) in state ALARM: {errors['AlarmName']}" in told
    assert f"Alarm {errors['AlarmName']} rings: the new fleet failed." in told
    assert live(project) == first
    project.scones("reject", second, "--wait")  # or it would be the next to be brought back
    assert cloudwatch.describe_alarms(AlarmNamePrefix=f"{PROJECT}-v")["MetricAlarms"] == []

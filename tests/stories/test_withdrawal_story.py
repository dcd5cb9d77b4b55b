"""A model is approved, and rejected while it is being deployed: it is not live in the end, and both commands say so."""

from __future__ import annotations

import json
import socket
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


@pytest.fixture(scope="module")
def deployed(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Story:
    project = Story.begin(local_cloud, PROJECT, tmp_path_factory.mktemp("withdrawal"), "ssm")
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

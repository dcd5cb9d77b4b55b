"""Search, and the small operations that code around the SDK asks for."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from engine_support import ROLE, World, definition, processing
from job_support import Bucket, finish, training, unique
from schedule_support import Watched

from localcloud.sagemaker import operations
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.errors import ServiceError

GROUPS = ("bicycles", "motorcycles", "vans")


@pytest.fixture
def registry(world: World) -> Cloud:
    """Three groups with a package each, the last approved."""
    for name in GROUPS:
        tags = [{"Key": "team", "Value": name[:3]}]
        world.cloud.call("CreateModelPackageGroup", {"ModelPackageGroupName": name, "Tags": tags})
        containers = [{"Image": "image", "ModelDataUrl": f"s3://bucket/{name}/model.tar.gz"}]
        request = {"ModelPackageGroupName": name, "InferenceSpecification": {"Containers": containers}}
        approval = "Approved" if name == "vans" else "PendingManualApproval"
        world.cloud.call("CreateModelPackage", {**request, "ModelApprovalStatus": approval})
    return world.cloud


def condition(name: str, operator: str, value: str = "") -> dict[str, str]:
    return {"Name": name, "Operator": operator, **({"Value": value} if value else {})}


def found(cloud: Cloud, resource: str, *filters: dict[str, str], **members: Any) -> list[str]:
    expression = {**({"Filters": list(filters)} if filters else {}), **members.pop("expression", {})}
    request = {"Resource": resource, "SearchExpression": expression, "SortBy": "CreationTime", "SortOrder": "Ascending"}
    records = cloud.call("Search", {**request, **members})["Results"]
    return [record[resource]["ModelPackageGroupName"] for record in records]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ([], GROUPS),
        ([condition("ModelPackageGroupName", "Equals", "vans")], ["vans"]),
        ([condition("ModelPackageGroupName", "NotEquals", "vans")], GROUPS[:2]),
        ([condition("ModelPackageGroupName", "Contains", "cycles")], GROUPS[:2]),
        ([condition("ModelPackageGroupName", "In", "vans, bicycles")], ["bicycles", "vans"]),
        ([condition("Tags.team", "Equals", "mot")], ["motorcycles"]),
        ([condition("Tags.other", "Exists")], []),
        ([condition("Tags.other", "NotExists")], GROUPS),
        ([condition("CreationTime", "GreaterThan", (datetime.now(UTC) + timedelta(days=1)).isoformat())], []),
        ([condition("CreationTime", "GreaterThan", "2020-01-01T00:00:00Z")], GROUPS),
    ],
)
def test_groups_are_found_by_filters(registry: Cloud, filters: list[dict[str, str]], names: Any) -> None:
    assert found(registry, "ModelPackageGroup", *filters) == list(names)


def test_a_time_without_an_offset_is_in_utc(registry: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    edges = ((timedelta(hours=-1), list(GROUPS)), (timedelta(hours=1), []))
    for zone in ("UTC+9", "UTC-9"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        for away, names in edges:
            after = condition("CreationTime", "GreaterThan", (now + away).isoformat(timespec="seconds"))
            assert found(registry, "ModelPackageGroup", after) == names
    monkeypatch.undo()
    time.tzset()


def test_packages_are_found_by_what_is_nested_in_them(registry: Cloud) -> None:
    approved = condition("ModelApprovalStatus", "Equals", "Approved")
    assert found(registry, "ModelPackage", approved) == ["vans"]
    place = "InferenceSpecification.Containers"
    nested = {
        "NestedPropertyName": place,
        "Filters": [
            condition(f"{place}.ModelDataUrl", "Contains", "motor"),
            condition(f"{place}.Image", "Equals", "image"),
        ],
    }
    assert found(registry, "ModelPackage", expression={"NestedFilters": [nested]}) == ["motorcycles"]
    either = {"SubExpressions": [{"Filters": [approved]}, {"NestedFilters": [nested]}], "Operator": "Or"}
    assert found(registry, "ModelPackage", expression=either) == ["motorcycles", "vans"]
    version = condition("ModelPackageVersion", "GreaterThanOrEqualTo", "2")
    assert found(registry, "ModelPackage", version) == []


def test_what_is_found_comes_in_pages(registry: Cloud) -> None:
    request = {"Resource": "ModelPackageGroup", "MaxResults": 2}
    first = registry.call("Search", request)
    assert [one["ModelPackageGroup"]["ModelPackageGroupName"] for one in first["Results"]] == ["vans", "motorcycles"]
    second = registry.call("Search", {**request, "NextToken": first["NextToken"]})
    assert [one["ModelPackageGroup"]["ModelPackageGroupName"] for one in second["Results"]] == ["bicycles"]
    assert "NextToken" not in second
    with pytest.raises(ServiceError, match="NextToken"):
        registry.call("Search", {**request, "NextToken": "two"})


def test_pipelines_and_executions_are_found_and_what_nobody_keeps_is_not(world: World) -> None:
    world.create(definition(processing("a")))
    arn = world.start()
    world.wait(arn)
    done = {"Filters": [condition("PipelineExecutionStatus", "Equals", "Succeeded")]}
    [one] = world.cloud.call("Search", {"Resource": "PipelineExecution", "SearchExpression": done})["Results"]
    assert one["PipelineExecution"]["PipelineExecutionArn"] == arn
    [one] = world.cloud.call("Search", {"Resource": "Pipeline"})["Results"]
    assert (one["Pipeline"]["PipelineName"], one["Pipeline"]["RoleArn"]) == ("p", ROLE)
    assert world.cloud.call("Search", {"Resource": "FeatureGroup"}) == {"Results": []}


def test_a_training_jobs_metrics_are_in_cloudwatch_and_find_it(cloud: Cloud, bucket: Bucket) -> None:
    code = 'for value in (0.5, 0.25, 0.75): print(f"accuracy={value}")'
    job = finish(cloud, training(bucket, code))["TrainingJobName"]
    now = datetime.now(UTC)
    answer = cloud.aws("cloudwatch").get_metric_statistics(
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricName="accuracy",
        Dimensions=[{"Name": "TrainingJobName", "Value": job}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=7200,
        Statistics=["SampleCount", "Maximum", "Average"],
    )
    [point] = answer["Datapoints"]
    assert (point["SampleCount"], point["Maximum"], point["Average"]) == (3.0, 0.75, 0.5)
    good = [condition("Metrics.accuracy", "GreaterThan", "0.7"), condition("HyperParameters.epochs", "Equals", "2")]
    [one] = cloud.call("Search", {"Resource": "TrainingJob", "SearchExpression": {"Filters": good}})["Results"]
    assert one["TrainingJob"]["TrainingJobName"] == job


def test_packages_are_described_many_at_once(registry: Cloud) -> None:
    arns = [registry.arn(f"model-package/{name}") for name in ("vans/1", "vans/7")]
    answer = registry.call("BatchDescribeModelPackage", {"ModelPackageArnList": arns})
    assert answer["ModelPackageSummaries"][arns[0]]["ModelApprovalStatus"] == "Approved"
    assert answer["BatchDescribeModelPackageErrorMap"][arns[1]]["ErrorCode"] == "ValidationException"


def test_a_group_has_a_policy_until_it_is_taken_away(registry: Cloud) -> None:
    name = {"ModelPackageGroupName": "vans"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    with pytest.raises(ServiceError, match="Cannot find resource policy"):
        registry.call("GetModelPackageGroupPolicy", name)
    with pytest.raises(ServiceError, match="no Statement"):
        registry.call("PutModelPackageGroupPolicy", {**name, "ResourcePolicy": "{}"})
    registry.call("PutModelPackageGroupPolicy", {**name, "ResourcePolicy": policy})
    assert registry.call("GetModelPackageGroupPolicy", name) == {"ResourcePolicy": policy}
    registry.call("DeleteModelPackageGroupPolicy", name)
    with pytest.raises(ServiceError, match="Cannot find resource policy"):
        registry.call("GetModelPackageGroupPolicy", name)


def test_a_tuning_job_is_forgotten_when_it_has_ended_and_only_then(world: World) -> None:
    name, request = unique("tune"), {"HyperParameterTuningJobName": ""}
    request["HyperParameterTuningJobName"] = name
    world.cloud.store.insert("HyperParameterTuningJob", name, {}, arn=world.cloud.arn(name), status="InProgress")
    with pytest.raises(ServiceError) as running:
        world.cloud.call("DeleteHyperParameterTuningJob", request)
    assert running.value.code == "ResourceInUse"
    world.cloud.store.update("HyperParameterTuningJob", name, {}, status="Completed")
    world.cloud.call("DeleteHyperParameterTuningJob", request)
    assert world.cloud.store.find("HyperParameterTuningJob", name) is None


def test_a_schedule_has_no_alerts_and_lineage_is_refused_by_name(watched: Watched) -> None:
    request = {"MonitoringScheduleName": watched.schedule()}
    assert watched.cloud.call("ListMonitoringAlerts", request) == {"MonitoringAlertSummaries": []}
    operations.load()
    for name in ("ListArtifacts", "QueryLineage", "CreateAction", "ListAssociations"):
        with pytest.raises(ServiceError, match=f"does not implement {name}") as refused:
            watched.cloud.call(name, {})
        assert refused.value.status == 501

"""Hyperparameter tuning jobs."""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.errors import in_use
from localcloud.sagemaker.jobs.instances import require_instances
from localcloud.sagemaker.jobs.job_types import UNFINISHED
from localcloud.sagemaker.jobs.transfer import require_objects
from localcloud.sagemaker.operations.listing import PAGE_SIZE, page, position
from localcloud.sagemaker.operations.tags import as_dict
from localcloud.sagemaker.registry import operation
from localcloud.sagemaker.resources import described, existing
from localcloud.sagemaker.store import Resource
from localcloud.sagemaker.tuning import checks, children, search

SORT_KEYS = {"Name": "TrainingJobName", "CreationTime": "CreationTime", "Status": "TrainingJobStatus"}


@operation("CreateHyperParameterTuningJob")
def create(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Check the request and start the search."""
    checks.check(request)
    definition = request["TrainingJobDefinition"]
    require_instances({**definition, "ResourceConfig": children.resources(definition)}, cloud.isolation)
    for channel in definition.get("InputDataConfig", []):
        require_objects(cloud.s3, channel["DataSource"]["S3DataSource"]["S3Uri"], definition["RoleArn"], cloud.region)
    arn = search.begin(cloud, request, as_dict(request.get("Tags")))
    return {"HyperParameterTuningJobArn": arn}


@operation("DescribeHyperParameterTuningJob")
def describe(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """The tuning job's record, with what its training jobs say now."""
    resource = existing(cloud, search.TUNING_JOB, request["HyperParameterTuningJobName"])
    found = children.of(cloud, resource.name)
    best = children.best(resource.body, found)
    seconds = sum(child.body.get("TrainingTimeInSeconds", 0) for child in found)
    return {
        **described(resource),
        "TrainingJobDefinition": children.described_definition(resource.body),
        **children.counters(resource.body, found),
        **({"BestTrainingJob": children.summary(resource.body, best)} if best else {}),
        "ConsumedResources": {"RuntimeInSeconds": seconds},
    }


@operation("StopHyperParameterTuningJob")
def stop(cloud: Cloud, request: dict[str, Any]) -> None:
    """Ask the search to end; its running training jobs are stopped."""
    search.stop(cloud, request["HyperParameterTuningJobName"])


@operation("DeleteHyperParameterTuningJob")
def delete(cloud: Cloud, request: dict[str, Any]) -> None:
    """Forget a tuning job that has ended; its training jobs stay. One that is not there is forgotten already."""
    name = request["HyperParameterTuningJobName"]
    found = cloud.store.find(search.KIND, name)
    if found is not None and found.status in UNFINISHED:
        raise in_use(f"The tuning job {name} is in status {found.status} and cannot be deleted.")
    cloud.store.delete(search.KIND, name)


@operation("ListHyperParameterTuningJobs")
def listing(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Tuning jobs, newest first unless asked otherwise."""

    def summary(resource: Resource) -> dict[str, Any]:
        config = resource.body["HyperParameterTuningJobConfig"]
        own = {"Strategy": config["Strategy"], "ResourceLimits": config["ResourceLimits"]}
        found = children.of(cloud, resource.name)
        return {**described(resource), **own, **children.counters(resource.body, found)}

    return page(cloud, request, search.KIND, summary, answer="HyperParameterTuningJobSummaries", descending=True)


@operation("ListTrainingJobsForHyperParameterTuningJob")
def list_training_jobs(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """A tuning job's training jobs, by name unless asked otherwise; by objective, only those that have one."""
    resource = existing(cloud, search.TUNING_JOB, request["HyperParameterTuningJobName"])
    found = [children.summary(resource.body, child) for child in children.of(cloud, resource.name)]
    if status := request.get("StatusEquals"):
        found = [one for one in found if one["TrainingJobStatus"] == status]
    by = request.get("SortBy", "Name")
    if by == "FinalObjectiveMetricValue":
        metric = "FinalHyperParameterTuningJobObjectiveMetric"
        found = sorted((one for one in found if metric in one), key=lambda one: float(one[metric]["Value"]))
    else:
        found = sorted(found, key=lambda one: one[SORT_KEYS[by]])
    if request.get("SortOrder") == "Descending":
        found.reverse()
    start = position(request.get("NextToken", "0"))
    end = start + request.get("MaxResults", PAGE_SIZE)
    answer: dict[str, Any] = {"TrainingJobSummaries": found[start:end]}
    return {**answer, "NextToken": str(end)} if end < len(found) else answer

"""Search: the resources of this account that filters on their Describe answers find.

What is not kept here (experiments, feature groups, projects, …) is found nowhere: an account without them answers so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.engine import records
from localcloud.sagemaker.errors import ServiceError, validation
from localcloud.sagemaker.jobs.job_types import TRAINING
from localcloud.sagemaker.models import MODEL, MODEL_PACKAGE
from localcloud.sagemaker.operations.listing import PAGE_SIZE, position, written_time
from localcloud.sagemaker.registry import operation
from localcloud.sagemaker.store import Body, Resource
from localcloud.sagemaker.tuning import search as tuning


@dataclass(frozen=True)
class Found:
    """How resources of one kind are found: their kind in the store, and what describes one.

    Attributes:
        member: of the Describe request that names one; `by_arn`, whether that is its ARN.
    """

    kind: str
    describe: str
    member: str
    by_arn: bool = False


KINDS = {
    "TrainingJob": Found(TRAINING.name, "DescribeTrainingJob", "TrainingJobName"),
    "HyperParameterTuningJob": Found(tuning.KIND, "DescribeHyperParameterTuningJob", "HyperParameterTuningJobName"),
    "Endpoint": Found("Endpoint", "DescribeEndpoint", "EndpointName"),
    "Model": Found(MODEL.name, "DescribeModel", "ModelName"),
    "ModelPackage": Found(MODEL_PACKAGE.name, "DescribeModelPackage", "ModelPackageName", by_arn=True),
    "ModelPackageGroup": Found("ModelPackageGroup", "DescribeModelPackageGroup", "ModelPackageGroupName"),
    "Pipeline": Found(records.PIPELINE.name, "DescribePipeline", "PipelineName"),
    "PipelineExecution": Found(records.EXECUTION, "DescribePipelineExecution", "PipelineExecutionArn", by_arn=True),
}


@operation("Search")
def search(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """A page of what is found, what was changed last first unless asked otherwise."""
    resource = request["Resource"]
    descending = request.get("SortOrder", "Descending") == "Descending"
    found = [
        one for one in _documents(cloud, resource, descending) if _matches(one, request.get("SearchExpression", {}))
    ]
    by = request.get("SortBy", "LastModifiedTime")
    sortable = [(key, one) for one in found for key in _values(one, by)[:1]]
    ordered = [one for _, one in sorted(sortable, key=lambda pair: _comparable(pair[0]), reverse=descending)]
    ordered += [one for one in found if not _values(one, by)]
    start, most = position(request.get("NextToken", "0")), request.get("MaxResults", PAGE_SIZE)
    shown = [{resource: {"Model": one} if resource == "Model" else one} for one in ordered[start : start + most]]
    return {"Results": shown, "NextToken": str(start + most) if len(ordered) > start + most else None}


def _documents(cloud: Cloud, resource: str, descending: bool) -> Iterator[Body]:
    """The Describe answers of all resources of a kind in order of their creation, with their tags."""
    kind = KINDS.get(resource)
    if kind is None:
        return
    for stored in cloud.store.page(kind.kind, descending=descending)[0]:
        described = _described(cloud, kind, stored)
        if described is not None:
            tags = [{"Key": key, "Value": value} for key, value in cloud.store.tags(stored.arn).items()]
            yield {"LastModifiedTime": stored.modified, **described, "Tags": tags}


def _described(cloud: Cloud, kind: Found, stored: Resource) -> Body | None:
    try:
        return cloud.call(kind.describe, {kind.member: stored.arn if kind.by_arn else stored.name})
    except ServiceError:  # it was deleted meanwhile
        return None


def _matches(document: Any, expression: Mapping[str, Any]) -> bool:
    truths = [
        *(_holds(document, one) for one in expression.get("Filters", [])),
        *(_nested(document, one) for one in expression.get("NestedFilters", [])),
        *(_matches(document, one) for one in expression.get("SubExpressions", [])),
    ]
    return any(truths) if expression.get("Operator") == "Or" and truths else all(truths)


def _nested(document: Any, nested: Mapping[str, Any]) -> bool:
    """Whether one object below NestedPropertyName fulfils all filters, whose names begin with it."""
    place = nested["NestedPropertyName"]
    own = [{**one, "Name": one["Name"].removeprefix(f"{place}.")} for one in nested["Filters"]]
    return any(all(_holds(item, one) for one in own) for item in _values(document, place))


def _holds(document: Any, condition: Mapping[str, Any]) -> bool:
    values = _values(document, condition["Name"])
    operator: str = condition.get("Operator", "Equals")
    if operator in ("Exists", "NotExists"):
        return bool(values) == (operator == "Exists")
    if "Value" not in condition:
        raise validation(f"The filter on {condition['Name']} has no Value.")
    wanted = condition["Value"]
    if operator == "NotEquals":
        return not any(_compare(value, "Equals", wanted) for value in values)
    return any(_compare(value, operator, wanted) for value in values)


def _compare(value: Any, operator: str, wanted: str) -> bool:
    if operator == "Contains":
        return isinstance(value, str) and wanted in value
    if operator == "In":
        return any(_compare(value, "Equals", one.strip()) for one in wanted.split(","))
    left, right = _comparable(value), _comparable(wanted)
    if left[0] != right[0]:
        left, right = (1, 0.0, str(value)), (1, 0.0, wanted)
    orders: dict[str, bool] = {
        "Equals": left == right,
        "GreaterThan": left > right,
        "GreaterThanOrEqualTo": left >= right,
        "LessThan": left < right,
        "LessThanOrEqualTo": left <= right,
    }
    return orders[operator]


def _comparable(value: Any) -> tuple[int, float, str]:
    """Numbers and times (ISO 8601 in filters) as numbers, before text."""
    if isinstance(value, bool):
        return (1, 0.0, str(value).lower())
    try:
        return (0, float(value), "")
    except (TypeError, ValueError):
        pass
    try:
        return (0, written_time(value), "")
    except (TypeError, ValueError, OverflowError):
        return (1, 0.0, str(value))


def _values(document: Any, path: str) -> list[Any]:
    """What is at `A.B.C`, in every item of lists on the way; `Tags.k` and `Metrics.m` are found by their names."""
    if isinstance(document, list):
        return [value for item in document for value in _values(item, path)]
    if not isinstance(document, dict):
        return []
    name, _, rest = path.partition(".")
    if path in document:  # the names of hyperparameters and variables may have dots
        found = document[path]
        return found if isinstance(found, list) else [found]
    if name == "Tags" and rest:
        return [tag["Value"] for tag in document.get("Tags", []) if tag["Key"] == rest]
    if name == "Metrics" and rest:
        return [one["Value"] for one in document.get("FinalMetricDataList", []) if one["MetricName"] == rest]
    return _values(document[name], rest) if rest and name in document else []

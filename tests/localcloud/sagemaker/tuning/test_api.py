"""Tuning jobs through an unchanged boto3 against the running server, with real training processes."""

from __future__ import annotations

import io
import re
import tarfile
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from cloud_fixtures import LocalCloud, eventually
from job_support import DONE, REGISTRY, SCIKIT_LEARN, Bucket, channel
from tuning_support import continuous, tuning

SCRIPT = b"""
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
parser.add_argument("--count", type=int, default=0)
parser.add_argument("--kind", default="a")
given = parser.parse_args()
print("score=0.001")
print(f"score={1 - (given.rate - 0.3) ** 2 - given.count * 0.01:.6f} kind={given.kind}")
"""


@pytest.fixture
def sagemaker(on_local_cloud: LocalCloud) -> Any:
    return boto3.client("sagemaker")


def source(bucket: Bucket, script: bytes = SCRIPT) -> str:
    """The script in an archive in S3, as the SageMaker SDK leaves it there."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("job.py")
        entry.size = len(script)
        archive.addfile(entry, io.BytesIO(script))
    return bucket.put("source/sourcedir.tar.gz", packed.getvalue())


def request(bucket: Bucket, **config: Any) -> dict[str, Any]:
    """A request for two random trials; `config` changes HyperParameterTuningJobConfig."""
    return tuning(bucket, '"job.py"', f'"{source(bucket)}"', **config)


def finish(sagemaker: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Create a tuning job and wait for its end; what Describe says then."""
    name = wanted["HyperParameterTuningJobName"]
    sagemaker.create_hyper_parameter_tuning_job(**wanted)
    return ended(sagemaker, name)


def ended(sagemaker: Any, name: str) -> dict[str, Any]:
    def describe() -> dict[str, Any]:
        answer: dict[str, Any] = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        return answer

    eventually(lambda: describe()["HyperParameterTuningJobStatus"] in DONE)
    return describe()


def children(sagemaker: Any, name: str, **more: Any) -> list[dict[str, Any]]:
    answer = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName=name, **more)
    found: list[dict[str, Any]] = answer["TrainingJobSummaries"]
    return found


def refusal(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**request)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def test_a_search_runs_its_trials_and_names_the_best(sagemaker: Any, bucket: Bucket) -> None:
    wanted = request(bucket) | {"Tags": [{"Key": "team", "Value": "routing"}]}
    name = wanted["HyperParameterTuningJobName"]
    job = finish(sagemaker, wanted)
    assert job["HyperParameterTuningJobStatus"] == "Completed", job
    assert job["TrainingJobStatusCounters"] == {
        "Completed": 2,
        "InProgress": 0,
        "RetryableError": 0,
        "NonRetryableError": 0,
        "Stopped": 0,
    }
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 2, "Pending": 0, "Failed": 0}
    assert job["CreationTime"] <= job["HyperParameterTuningEndTime"] <= job["LastModifiedTime"]
    assert job["ConsumedResources"]["RuntimeInSeconds"] >= 2

    ranked = children(sagemaker, name, SortBy="FinalObjectiveMetricValue", SortOrder="Descending")
    values = [one["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for one in ranked]
    expected = [1 - (float(one["TunedHyperParameters"]["rate"]) - 0.3) ** 2 for one in ranked]
    assert values == pytest.approx(expected, abs=1e-5) and values == sorted(values, reverse=True)
    best = job["BestTrainingJob"]
    assert best["TrainingJobName"] == ranked[0]["TrainingJobName"]
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Type"] == "Maximize"
    assert best["ObjectiveStatus"] == "Succeeded"
    names = [one["TrainingJobName"] for one in children(sagemaker, name)]
    assert [bool(re.fullmatch(rf"{name}-00{n}-[0-9a-f]{{8}}", one)) for n, one in enumerate(names, 1)] == [True, True]

    training = sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert training["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert training["HyperParameters"] == {
        "_tuning_objective_metric": "score",
        **wanted["TrainingJobDefinition"]["StaticHyperParameters"],
        **best["TunedHyperParameters"],
    }
    assert sagemaker.list_tags(ResourceArn=training["TrainingJobArn"])["Tags"] == wanted["Tags"]


def test_a_grid_tries_every_combination_once_and_minimises(sagemaker: Any, bucket: Bucket) -> None:
    ranges = [{"Name": "kind", "Values": ["a", "b"]}, {"Name": "rate", "Values": ["0.3", "0.9"]}]
    wanted = request(
        bucket,
        Strategy="Grid",
        HyperParameterTuningJobObjective={"Type": "Minimize", "MetricName": "score"},
        ResourceLimits={"MaxParallelTrainingJobs": 2},
        ParameterRanges={"CategoricalParameterRanges": ranges},
    )
    job = finish(sagemaker, wanted)
    tried = [one["TunedHyperParameters"] for one in children(sagemaker, job["HyperParameterTuningJobName"])]
    assert tried == [{"kind": kind, "rate": rate} for kind in "ab" for rate in ("0.3", "0.9")]
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"kind": "a", "rate": "0.9"}


def test_a_search_ends_when_its_target_is_reached(sagemaker: Any, bucket: Bucket) -> None:
    wanted = request(
        bucket,
        ResourceLimits={"MaxNumberOfTrainingJobs": 50, "MaxParallelTrainingJobs": 1},
        TuningJobCompletionCriteria={"TargetObjectiveMetricValue": 0.4},
    )
    job = finish(sagemaker, wanted)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert sum(job["TrainingJobStatusCounters"].values()) < 50
    assert job["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] >= 0.4


def test_a_search_takes_the_resources_that_the_sdk_2_sends(sagemaker: Any, bucket: Bucket) -> None:
    wanted = request(bucket, TrainingJobEarlyStoppingType="Auto")
    definition = wanted["TrainingJobDefinition"]
    size = {"InstanceCount": 1, "VolumeSizeInGB": 2}
    kinds = [{"InstanceType": kind, **size} for kind in ("ml.c5.xlarge", "ml.m5.large")]
    resources = {"InstanceConfigs": kinds, "AllocationStrategy": "Prioritized"}
    both = {**wanted, "TrainingJobDefinition": {**definition, "HyperParameterTuningResourceConfig": resources}}
    code, message = refusal(sagemaker.create_hyper_parameter_tuning_job, **both)
    assert (code, "not both" in message) == ("ValidationException", True), message
    del both["TrainingJobDefinition"]["ResourceConfig"]
    job = finish(sagemaker, both)
    assert job["HyperParameterTuningJobStatus"] == "Completed", job
    assert job["TrainingJobDefinition"]["HyperParameterTuningResourceConfig"] == resources
    assert job["TrainingJobDefinition"]["ResourceConfig"] == kinds[0]  # SDK 2 attaches by it
    assert job["TrainingJobDefinition"]["StaticHyperParameters"]["_tuning_objective_metric"] == "score"
    training = sagemaker.describe_training_job(TrainingJobName=job["BestTrainingJob"]["TrainingJobName"])
    assert training["ResourceConfig"] == kinds[0]


def test_tuning_jobs_and_their_training_jobs_are_listed_in_pages(sagemaker: Any, bucket: Bucket) -> None:
    wanted = request(bucket)
    name = wanted["HyperParameterTuningJobName"]
    finish(sagemaker, wanted)
    (summary,) = sagemaker.list_hyper_parameter_tuning_jobs(NameContains=name)["HyperParameterTuningJobSummaries"]
    assert (summary["Strategy"], summary["HyperParameterTuningJobStatus"]) == ("Random", "Completed")
    assert summary["TrainingJobStatusCounters"]["Completed"] == 2
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
    asked = {"HyperParameterTuningJobName": name, "PaginationConfig": {"PageSize": 1}, "SortOrder": "Descending"}
    names = [one["TrainingJobName"] for page in pages.paginate(**asked) for one in page["TrainingJobSummaries"]]
    assert len(names) == 2 and names == sorted(names, reverse=True)
    assert children(sagemaker, name, StatusEquals="Failed") == []


BUILTIN = f"{REGISTRY}/image-classification:1"
REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "hyperband": ({"Strategy": "Hyperband"}, {}, "not Hyperband"),
    "no range": ({"ParameterRanges": {}}, {}, "names no hyperparameter to tune"),
    "unknown metric": (
        {"HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "loss"}},
        {},
        "The objective metric for the hyperparameter tuning job, [loss], isn't valid. Choose one of [score].",
    ),
    "no metric": (
        {},
        {"AlgorithmSpecification": {"TrainingImage": SCIKIT_LEARN, "TrainingInputMode": "File"}},
        "A metric is required for this hyperparameter tuning job objective.",
    ),
    "static as well": ({}, {"StaticHyperParameters": {"rate": "1"}}, "hyperparameters in common: [rate]"),
    "untunable": (
        {
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:accuracy"},
            "ParameterRanges": {"IntegerParameterRanges": [continuous("epochs", "1", "9")]},
        },
        {"AlgorithmSpecification": {"TrainingImage": BUILTIN, "TrainingInputMode": "File"}},
        "has the following untunable hyperparameters: [epochs]",
    ),
    "beyond the algorithm's range": (
        {
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:accuracy"},
            "ParameterRanges": {"ContinuousParameterRanges": [continuous("learning_rate", "0.1", "0.9")]},
        },
        {"AlgorithmSpecification": {"TrainingImage": BUILTIN, "TrainingInputMode": "File"}},
        "it takes a continuous range within [1e-06, 0.5]",
    ),
    "logarithm of zero": (
        {"ParameterRanges": {"ContinuousParameterRanges": [continuous("rate", "0", "1", ScalingType="Logarithmic")]}},
        {},
        "must be above 0",
    ),
    "not a number": (
        {"ParameterRanges": {"IntegerParameterRanges": [continuous("count", "1", "many")]}},
        {},
        "must be integers",
    ),
    "too few combinations": (
        {"ParameterRanges": {"IntegerParameterRanges": [continuous("count", "1", "1")]}},
        {},
        "You don't have enough combinations of hyperparameter ranges",
    ),
    "grid of numbers": ({"Strategy": "Grid"}, {}, "takes only CategoricalParameterRanges"),
    "no image": (
        {},
        {
            "AlgorithmSpecification": {"TrainingImage": f"{REGISTRY}/unknown:1", "TrainingInputMode": "File"},
            "StaticHyperParameters": {},
        },
        "and the request brings no script",
    ),
    "no data": ({}, {"InputDataConfig": [channel("train", "s3://no-such-bucket-at-all/x")]}, "No S3 objects found"),
}


@pytest.mark.parametrize(("config", "definition", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_searched_is_refused_and_leaves_nothing(
    sagemaker: Any, bucket: Bucket, config: dict[str, Any], definition: dict[str, Any], said: str
) -> None:
    wanted = request(bucket, **config)
    wanted["TrainingJobDefinition"].update(definition)
    code, message = refusal(sagemaker.create_hyper_parameter_tuning_job, **wanted)
    assert code == "ValidationException" and said in message, message
    name = wanted["HyperParameterTuningJobName"]
    code, message = refusal(sagemaker.describe_hyper_parameter_tuning_job, HyperParameterTuningJobName=name)
    assert code == "ResourceNotFound" and name in message


def test_a_name_is_taken_once_and_what_has_ended_cannot_be_stopped(sagemaker: Any, bucket: Bucket) -> None:
    wanted = request(bucket, ResourceLimits={"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1})
    name = wanted["HyperParameterTuningJobName"]
    finish(sagemaker, wanted)
    assert refusal(sagemaker.create_hyper_parameter_tuning_job, **wanted)[0] == "ResourceInUse"
    code, message = refusal(sagemaker.stop_hyper_parameter_tuning_job, HyperParameterTuningJobName=name)
    assert code == "ValidationException" and "in status Completed" in message

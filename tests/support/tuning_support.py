"""Requests for tuning jobs: two random trials of a script that prints its score."""

from __future__ import annotations

from typing import Any

from job_support import ROLE, SCIKIT_LEARN, Bucket, unique


def continuous(name: str, low: str, high: str, **more: str) -> dict[str, str]:
    """A range of a real number."""
    return {"Name": name, "MinValue": low, "MaxValue": high, **more}


def tuning(bucket: Bucket, program: str, source: str, **config: Any) -> dict[str, Any]:
    """A request to tune `program` of the folder or archive `source`; `config` changes HyperParameterTuningJobConfig."""
    return {
        "HyperParameterTuningJobName": unique("tune"),
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"ContinuousParameterRanges": [continuous("rate", "0", "1")]},
            "RandomSeed": 5,
            **config,
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": {"sagemaker_program": program, "sagemaker_submit_directory": source},
            "AlgorithmSpecification": {
                "TrainingImage": SCIKIT_LEARN,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "score", "Regex": "score=([0-9.-]+)"}],
            },
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": bucket.uri("models")},
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
    }

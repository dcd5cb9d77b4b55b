"""What is shown of a running step, from a job's description and log in the services' own shapes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from service_stubs import Stubs

from pipelines.runs.step_progress import Watch

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
JOB = "arn:aws:sagemaker:us-east-1:000000000000:training-job/train-1"
STEPS: list[dict[str, Any]] = [
    {"StepName": "ExtractCifar", "StepStatus": "Succeeded"},
    {"StepName": "Train", "StepStatus": "Executing", "Metadata": {"TrainingJob": {"Arn": JOB}}},
]


def described(stubs: Stubs, **hyperparameters: str) -> None:
    answer = {
        "TrainingJobName": "train-1",
        "TrainingJobArn": JOB,
        "ModelArtifacts": {"S3ModelArtifacts": "s3://b/model.tar.gz"},
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Training",
        "StoppingCondition": {},
        "AlgorithmSpecification": {"TrainingInputMode": "File"},
        "ResourceConfig": {"VolumeSizeInGB": 1},
        "CreationTime": NOW,
        "HyperParameters": hyperparameters,
    }
    stubs["sagemaker"].add_response("describe_training_job", answer, {"TrainingJobName": "train-1"})


def logged(stubs: Stubs, *lines: str) -> None:
    stubs["logs"].add_response("describe_log_streams", {"logStreams": [{"logStreamName": "train-1/algo-1"}]})
    events = [{"message": line} for line in lines]
    stubs["logs"].add_response("get_log_events", {"events": events, "nextForwardToken": "f/1"})
    stubs["logs"].add_response("get_log_events", {"events": [], "nextForwardToken": "f/1"})


def shown(steps: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    told: list[tuple[Any, ...]] = []
    Watch(lambda *facts: told.append(facts)).show(steps)
    return told


def test_a_training_is_as_far_as_its_log_says(stubs: Stubs) -> None:
    described(stubs, epochs='"25"')  # the SDK quotes values for script mode
    logged(stubs, "Epoch[0] Train-accuracy=0.5", "Epoch[0] Validation-accuracy=0.4", "Epoch[1] Train-accuracy=0.6")
    assert shown(STEPS) == [("Train", "epoch 2 of 25", 2, 25)]


def test_a_training_that_tells_nothing_yet_or_whose_log_may_not_be_read_still_runs(stubs: Stubs) -> None:
    described(stubs, epochs="25")
    stubs["logs"].add_client_error("describe_log_streams", "ResourceNotFoundException", "none", 400)
    assert shown(STEPS) == [("Train",)]
    described(stubs, epochs="25")
    stubs["logs"].add_client_error("describe_log_streams", "AccessDeniedException", "no", 400)
    assert shown(STEPS) == [("Train",)]
    described(stubs)
    logged(stubs, "Epoch[0] Train-accuracy=0.5")
    assert shown(STEPS) == [("Train",)]


def test_of_other_steps_the_name_is_shown_and_of_none_nothing(stubs: Stubs) -> None:
    assert shown([{"StepName": "Evaluate", "StepStatus": "Starting"}]) == [("Evaluate",)]
    assert shown(STEPS[:1]) == []

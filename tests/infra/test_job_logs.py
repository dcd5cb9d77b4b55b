"""What SageMaker writes is not kept for ever, and what may be another project's is not shortened."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import boto3
import pytest
from cloud_fixtures import LocalCloud

from infra import job_logs
from project.names import Names
from project.settings import Settings

TRAINING = "/aws/sagemaker/TrainingJobs"
OWN = "/aws/sagemaker/Endpoints/tidy"


@pytest.fixture
def logs(on_local_cloud: LocalCloud) -> Any:
    """CloudWatch Logs of an account where the endpoint has written, and somebody else has trained."""
    logs: Any = boto3.client("logs")
    for one in kept(logs):
        logs.delete_log_group(logGroupName=one)
    for name in (OWN, TRAINING):
        with suppress(logs.exceptions.ResourceAlreadyExistsException):  # the last lines of a job of before made it
            logs.create_log_group(logGroupName=name)
    return logs


def kept(logs: Any) -> dict[str, int | None]:
    """Days by the name of the group; None for ever."""
    groups = logs.describe_log_groups(logGroupNamePrefix="/aws/sagemaker/")["logGroups"]
    return {one["logGroupName"]: one.get("retentionInDays") for one in groups}


def test_groups_get_an_end_and_the_one_of_others_is_named(logs: Any) -> None:
    said: list[str] = []
    job_logs.limit(Names(Settings(project="tidy")), said.append)
    assert kept(logs) == {
        OWN: 30,
        TRAINING: None,
        "/aws/sagemaker/ProcessingJobs": 30,
        "/aws/sagemaker/TransformJobs": 30,
    }
    assert TRAINING in said[0]
    assert "keeps everything" in said[0]


def test_a_choice_that_was_made_stays(logs: Any) -> None:
    logs.put_retention_policy(logGroupName=OWN, retentionInDays=7)
    logs.put_retention_policy(logGroupName=TRAINING, retentionInDays=365)
    said: list[str] = []
    job_logs.limit(Names(Settings(project="tidy")), said.append)
    assert said == []
    assert (kept(logs)[OWN], kept(logs)[TRAINING]) == (7, 365)

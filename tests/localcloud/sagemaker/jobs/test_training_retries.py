"""RetryStrategy of training jobs."""

from __future__ import annotations

from typing import Any

import pytest
from job_support import Bucket, finish, log_of, training

from localcloud.sagemaker.cloud import Cloud

FAILS_TWICE = """
    import os, pathlib, sys
    count = pathlib.Path("{counter}")
    count.write_text(str(int(count.read_text()) + 1 if count.exists() else 1))
    base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
    assert not list((base / "model").iterdir()), "an earlier attempt is left"
    (base / "model" / "weights").write_text("w")
    print("attempt", count.read_text(), flush=True)
    if int(count.read_text()) < 3:
        (base / "output" / "failure").write_text("{failure}")
        sys.exit(1)
"""


@pytest.mark.parametrize(
    ("attempts", "failure", "status", "made"),
    [
        (2, "InternalServerError: the host is gone", "Completed", 3),
        (1, "InternalServerError: the host is gone", "Failed", 2),
        (2, "the program's own", "Failed", 1),
    ],
)
def test_what_the_service_did_is_tried_again_and_what_the_program_did_is_not(
    cloud: Cloud, bucket: Bucket, tmp_path: Any, attempts: int, failure: str, status: str, made: int
) -> None:
    counter = tmp_path / "count"
    code = FAILS_TWICE.format(counter=counter, failure=failure)
    request = training(bucket, code, RetryStrategy={"MaximumRetryAttempts": attempts})
    found = finish(cloud, request)
    assert found["TrainingJobStatus"] == status, found
    assert counter.read_text() == str(made)
    assert found["RetryStrategy"] == {"MaximumRetryAttempts": attempts}
    statuses = [one["Status"] for one in found["SecondaryStatusTransitions"]]
    assert statuses.count("Starting") == made
    assert log_of(cloud, "TrainingJob", request["TrainingJobName"]).count("attempt") == made

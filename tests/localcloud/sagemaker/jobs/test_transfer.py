"""Names of objects as paths."""

from pathlib import Path

import pytest

from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.jobs.transfer import DownloadError, inside, split


@pytest.mark.parametrize(
    "key", ["../a", "a/../../b", "/etc/passwd", "a//b", ".", "a/./b", "a\\..\\b", "a\0b", "..", "", "a/"]
)
def test_a_key_that_is_no_path_in_the_folder_is_refused(key: str) -> None:
    with pytest.raises(DownloadError, match="cannot be a path inside"):
        inside(Path("/job/input"), key)


def test_odd_but_harmless_keys_keep_their_names() -> None:
    assert inside(Path("/job"), "a b/..c/ä+%2F.png") == Path("/job/a b/..c/ä+%2F.png")


def test_an_s3_uri_is_a_bucket_and_a_key() -> None:
    assert split("s3://bucket/a/b") == ("bucket", "a/b")
    assert split("s3://bucket") == ("bucket", "")


@pytest.mark.parametrize("uri", ["bucket/a", "https://bucket/a", "s3://", "s3:///a"])
def test_another_uri_is_refused(uri: str) -> None:
    with pytest.raises(ServiceError, match="not an S3 URI"):
        split(uri)

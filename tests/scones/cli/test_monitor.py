"""`scones monitor report --captures`: anybody's capture files, wherever they are."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest
from capture_files import traffic
from click.testing import CliRunner, Result
from cloud_fixtures import Command, LocalCloud
from golden import GOLDEN
from html_page import assert_self_contained, read_page

from project.errors import DataError, UsageError
from scones.cli.main import scones as command

REAL = GOLDEN / "captures"


def report(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, ["monitor", "report", *map(str, arguments)])


def test_a_folder_of_anybodys_needs_no_account(tmp_path: Path) -> None:
    source = traffic(tmp_path / "captured", 40, seed=1)
    done = report("--captures", source, "--output", tmp_path / "report", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["outcome"], found["records"]) == ("NoBaseline", 40)
    assert_self_contained(read_page(Path(found["page"]).read_text(encoding="utf-8")))
    old = report("--captures", source, "--since", "2100-01-01", "--output", tmp_path / "report")
    assert isinstance(old.exception, DataError), "a time that is given counts"


def test_files_that_a_real_endpoint_wrote_are_read_to_the_last_record(tmp_path: Path) -> None:
    if not REAL.is_dir():
        pytest.skip(f"{REAL} is not there: capture files that AWS wrote")
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in REAL.glob("*.jsonl"))
    found = json.loads(report("--captures", REAL, "--output", tmp_path, "--json").stdout)
    assert found["records"] == lines > 0


@pytest.mark.parametrize("made", [True, False])
def test_a_folder_without_captured_traffic_is_an_error_with_its_name(tmp_path: Path, made: bool) -> None:
    folder = tmp_path / "none"
    if made:
        folder.mkdir()
    done = report("--captures", folder, "--output", tmp_path / "report")
    assert isinstance(done.exception, DataError)
    assert str(done.exception).startswith(f"{folder}: ")
    assert not (tmp_path / "report").exists()


def test_an_address_in_s3_is_read_as_well(local_cloud: LocalCloud, scones: Command, tmp_path: Path) -> None:
    s3 = boto3.Session("test", "test", region_name="us-east-1").client(
        "s3", endpoint_url=local_cloud.addresses.ministack
    )
    s3.create_bucket(Bucket="somebodys-captures")
    for file in traffic(tmp_path / "captured", 30, seed=2).rglob("*.jsonl"):
        s3.upload_file(str(file), "somebodys-captures", f"theirs/endpoint/{file.relative_to(tmp_path / 'captured')}")
    s3.put_object(Bucket="somebodys-captures", Key="theirs/endpoint/notes.txt", Body=b"mine")
    done = scones(
        *("monitor", "report", "--captures", "s3://somebodys-captures/theirs/", "--json"),
        environment=local_cloud.environment,
    )
    assert done.returncode == 0, done.stderr
    assert "s3://somebodys-captures/theirs/endpoint/notes.txt is passed over" in done.stderr
    assert json.loads(done.stdout)["records"] == 30


@pytest.mark.parametrize("key", ["", "  "])
def test_a_label_for_nobody_is_refused_before_anything_is_asked(key: str) -> None:
    done = CliRunner().invoke(command, ["monitor", "label", key, "bicycle"])
    assert isinstance(done.exception, UsageError) and "the key is empty" in str(done.exception)

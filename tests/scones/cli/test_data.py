"""`scones data` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cifar_archives import part, tar_gz
from click.testing import CliRunner, Result

from project.errors import DataError
from scones.cli.main import scones


def data(*arguments: str | Path) -> Result:
    return CliRunner().invoke(scones, ["data", *map(str, arguments)])


def test_sample_prints_the_file_on_stdout_and_the_rest_on_stderr(tmp_path: Path) -> None:
    file = tmp_path / "a.tar.gz"
    result = data("sample", "--output", file, "--train-per-class", 2, "--test-per-class", 1)
    assert (result.exit_code, result.stdout) == (0, f"{file}\n")
    assert "18 images of 6 classes" in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["a.tar.gz"]


def test_info_reads_what_sample_wrote(tmp_path: Path) -> None:
    file = tmp_path / "a.tar.gz"
    made = json.loads(
        data(
            "sample", "--output", file, "--train-per-class", 2, "--test-per-class", 1, "--format", "binary", "--json"
        ).stdout
    )
    told = json.loads(data("info", file, "--json").stdout)
    assert (told["layout"], told["sha256"]) == ("binary", made["sha256"])
    assert told["images"]["bicycle"] == {"train": 2, "test": 1} and set(told["images"]) == set(made["classes"])
    assert "bicycle       2      1" in data("info", file).stdout


def test_the_default_file_is_named_for_its_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert data("sample", "--train-per-class", 1, "--test-per-class", 1).stdout == "sample-cifar-100-python.tar.gz\n"
    assert (tmp_path / "sample-cifar-100-python.tar.gz").is_file()


@pytest.mark.parametrize("option", [("--train-per-class", "0"), ("--test-per-class", "101"), ("--format", "matlab")])
def test_options_out_of_range_are_wrong_usage(option: tuple[str, str]) -> None:
    assert data("sample", *option).exit_code == 2


def test_info_on_a_bad_archive_raises_one_line(tmp_path: Path) -> None:
    result = data("info", tar_gz(tmp_path / "a.tar.gz", part("train", [8])))
    assert isinstance(result.exception, DataError) and "is missing" in str(result.exception)

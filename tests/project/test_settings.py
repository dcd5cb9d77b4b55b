from __future__ import annotations

from pathlib import Path

import pytest
from wrong_settings import faults_of_parameters, faults_of_settings

from project import setting_groups, settings
from project.errors import UsageError
from project.names import Names


def write(folder: Path, text: str) -> Path:
    file = folder / "scones.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_file_overrides_the_defaults_it_names(tmp_path: Path) -> None:
    loaded = settings.load(write(tmp_path, 'classes = ["bus", "train"]\n[instances]\ntraining = "ml.g5.xlarge"\n'))
    assert loaded.classes == ("bus", "train")
    assert loaded.instances.training == "ml.g5.xlarge"
    assert loaded.instances.processing == setting_groups.Instances().processing


def test_an_unknown_key_is_refused_with_the_nearest_known_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown key `epoch`\. Did you mean `epochs`\?"):
        settings.load(write(tmp_path, "epoch = 3\n"))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("epochs = 'many'", "epochs"),
        ("epochs = 0", "epochs"),
        ("accuracy_threshold = 1.5", "accuracy_threshold"),
        ('classes = ["bicycle"]', "classes"),
        ('classes = ["bus", "bus"]', "classes are named twice"),
        ('algorithm = "magic"', "algorithm"),
        ('project = "Has Blanks"', "`project` is 'Has Blanks': it must be 3 to 25 lower-case letters"),
        (f'project = "{"a-" * 13}a"', "it must be 3 to 25 lower-case letters"),
        ('region = "us-est-1"', "it is no region of AWS, did you mean us-"),
        ('region = "us-east-9"', "it is no region of AWS"),
        ('[instances]\ntraining = "g4dn"', "`instances.training` is 'g4dn': it must be an instance type"),
        ("epochs = true", "it must be a whole number"),
        ("serving = 3", "it must be a table"),
        ("[serving]\ncapture_percentage = 101", "it must be at most 100"),
        ("[serving]\ncapture_percent = 100", "Did you mean `capture_percentage`"),
        ("[[gates]]\nmetric = 'auc'\nat_leats = 1", "Did you mean `at_least`"),
        ("[[gates]]\nmetric = 'auc'\nat_least = nan", "it must be a finite number"),
        ("[builtin]\nimage_shape = '3,٣,28'", "channels"),
        ("[builtin]\nfirst = 1", "Known keys: num_layers"),
        ("a = " + "[" * 5000, "nested too deeply|not valid TOML"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        settings.load(write(tmp_path, text))


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"scones\.toml: not valid TOML"):
        settings.load(write(tmp_path, "epochs = = 3"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        settings.load(tmp_path / "missing.toml")


def test_no_wrong_file_or_parameter_gets_through_or_meets_a_library() -> None:
    """The longer search is benchmarks/fuzz/."""
    assert not faults_of_settings(seed=16, count=300) + faults_of_parameters(seed=16, count=500)


def test_the_nearest_file_above_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCONES_SETTINGS", raising=False)
    file = write(tmp_path, "")
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert settings.find_file(inner) == file.resolve()


def test_the_longest_bucket_name_fits_into_s3s_limit() -> None:
    longest = settings.parse({"project": "p" * 25, "region": "ap-southeast-2"}, "test")
    assert len(Names(longest, "123456789012").bucket) <= 63

"""The table of images: its layers, and what a wrong row says."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest
from commands import clean_environment, run

from localcloud import image_table
from localcloud.errors import LocalCloudError, SettingError


def write(folder: Path, text: str) -> Path:
    path = folder / image_table.FILE
    path.write_text(text)
    return path


def environment(folder: Path) -> Path:
    """A file that can be run where a virtual environment has its Python."""
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    return python


def test_a_row_wins_member_by_member_over_the_shipped_one(tmp_path: Path) -> None:
    python = environment(tmp_path / "venv")
    table = write(
        tmp_path, '[images.sagemaker-xgboost]\ninterpreter = "venv"\n[images."tensorflow-*"]\nserve = ["s"]\n'
    )
    found = image_table.find("sagemaker-xgboost", table)
    shipped = image_table.find("sagemaker-xgboost", None)
    assert found and shipped
    assert (found.interpreter, found.origin, found.train) == (str(python), str(table), shipped.train)
    tensorflow = image_table.find("tensorflow-training", table)
    assert tensorflow and tensorflow.uses == {"train", "process", "serve"}
    assert image_table.find("other", table) is None


def test_the_exact_name_wins_over_a_pattern_and_the_longer_one_over_the_shorter(tmp_path: Path) -> None:
    table = write(
        tmp_path,
        '[images."a*"]\nserve = ["short"]\n[images."a-b*"]\nserve = ["long"]\n[images.a-bc]\nserve = ["exact"]\n',
    )
    served = [found.serve for name in ("a", "a-b1", "a-bc") if (found := image_table.find(name, table))]
    assert served == [("short",), ("long",), ("exact",)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[images", "cannot be read: Expected ']'"),
        ("[image.mine]", r"unknown member 'image'. Did you mean 'images'\?"),
        ("images = 3", "images is no table of rows"),
        ("[images]\nmine = 3", r'\[images."mine"\] is no table but int'),
        ('[images.mine]\ninterpeter = "x"', r"unknown member 'interpeter'. Did you mean 'interpreter'\?"),
        ('[images.mine]\ninterpreter = "no/venv"', "no Python at .*/no/venv. .*-m venv .*/no/venv$"),
        ('[images.mine]\ninterpreter = "no/venv/bin/python"', "no Python at .*/python. .*-m venv .*/no/venv$"),
        ('[images.mine]\ninterpreter = "localcloud.toml"', "no Python at .*/localcloud.toml. Name a virtual"),
        ('[images.mine]\ninterpreter = "~nobody-of-that-name/venv"', "no Python at .*/~nobody-of-that-name/venv"),
        ("[images.mine]\ninterpreter = 3", "interpreter is 3, and must be a path"),
        ('[images.mine]\nuses = ["train", "sing"]', "uses has 'sing', and there are only train, serve, process"),
        ('[images.mine]\nserve = "python3 x.py"', "serve is 'python3 x.py', and must be a list of words"),
        ("[images.mine]\nserve = []", r"serve is \[\], and must be a list of words"),
        ("[images.mine.metrics]\nloss = '('", "metrics 'loss' is no regular expression"),
        ("[images.mine.metrics]\nloss = 'loss'", "metrics 'loss' has no group"),
        ("[images.mine.metrics]\nloss = 1", "metrics 'loss' is no regular expression"),
        ("[images.mine.tunable]\nrate = 1", "tunable rate is no table but 1"),
        ('[images.mine.tunable.rate]\nkind = "Real"', "tunable rate has the kind 'Real'"),
        ('[images.mine.tunable.rate]\nkind = ["Integer"]', r"tunable rate has the kind \['Integer'\]"),
        (f'[images.mine.tunable.rate]\nkind = "Integer"\nlow = 1\nhigh = 1{"0" * 400}', "must have numbers"),
        ('[images.mine.tunable.rate]\nkind = "Integer"\nlow = 1', "must have high, low beside its kind"),
        ('[images.mine.tunable.rate]\nkind = "Integer"\nlow = 2\nhigh = 1', "low at most as large as high"),
    ],
)
def test_a_wrong_table_is_one_line_that_names_the_place(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(SettingError, match=problem) as said:
        image_table.programs(write(tmp_path, text))
    assert str(tmp_path) in str(said.value) and "\n" not in str(said.value)


def test_up_status_and_images_refuse_a_wrong_table_before_anything_starts(tmp_path: Path) -> None:
    write(tmp_path, '[images.mine]\ninterpreter = "gone"\n')
    for verb in ("up", "status", "images"):
        done = run(sys.executable, "-m", "localcloud", verb, environment=clean_environment(tmp_path), folder=tmp_path)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "interpreter is 'gone', and there is no Python at" in done.stderr
    assert not (tmp_path / ".localcloud" / "local.json").exists()


def test_the_tables_in_the_docs_are_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("tensorflow", "forecast"):
        environment(tmp_path / "venvs" / name)
    page = Path(image_table.__file__).parents[1] / "docs" / "images.md"
    blocks = re.findall(r"^```toml\n(.*?)^```", page.read_text(encoding="utf-8"), re.S | re.M)
    found = {one.repository: one for one in image_table.programs(write(tmp_path, "\n".join(blocks)))}
    assert found["team/forecast"].serve == (f"{tmp_path}/serve.sh", "--quiet")
    assert found["tensorflow-training*"].interpreter == f"{tmp_path}/venvs/tensorflow/bin/python"
    assert found["team/forecast"].tunable.keys() == {"depth", "loss"}
    listed = set(re.findall(r"`([a-z-]+\*?)`", re.sub(r"\|[^|]*\|$", "", page.read_text(encoding="utf-8"), flags=re.M)))
    assert {one.repository for one in image_table.programs(None)} <= listed


def test_images_lists_what_stands_in_for_what_and_who_says_so(tmp_path: Path) -> None:
    python = environment(tmp_path / "venv")
    named = tmp_path / "elsewhere" / "images.toml"
    named.parent.mkdir()
    named.write_text('[images."team/mine"]\ninterpreter = "../venv"\nserve = ["./serve.sh"]\n')
    variables = {**clean_environment(tmp_path), image_table.VARIABLE: str(named)}
    command = (sys.executable, "-m", "localcloud", "images")
    rows = {
        row["repository"]: row
        for row in json.loads(run(*command, "--json", environment=variables, folder=tmp_path).stdout)
    }
    assert rows["team/mine"]["uses"] == ["process", "serve", "train"]
    assert rows["team/mine"]["interpreter"] == os.path.normpath(python)
    assert rows["team/mine"]["origin"] == str(named)
    assert rows["sagemaker-model-monitor-analyzer"]["origin"] == "scones-unlimited"
    listed = run(*command, environment=variables, folder=tmp_path).stdout
    assert "team/mine" in listed and str(named) in listed
    missing = run(*command, environment={**variables, image_table.VARIABLE: "no.toml"}, folder=tmp_path)
    assert (missing.returncode, missing.stderr) == (
        2,
        f"Error: LOCALCLOUD_CONFIG names {tmp_path}/no.toml, and there is no such file.\n",
    )


def install(site: Path, name: str, entries: str) -> None:
    """A distribution with entry points of the group, as an installer leaves it: a module and a dist-info folder."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[localcloud.images]\n{entries}\n")
    (site / f"{name}.py").write_text("ROW = {'process': ['python3', '-m', 'mine']}\nTEXT = 'python3 -m mine'\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that Python looks for distributions in."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_an_installed_distribution_registers_a_row(site: Path) -> None:
    install(site, "of_mine", "team/mine = of_mine:ROW")
    assert image_table.read_registered()["team/mine"] == {"origin": "of_mine", "process": ("python3", "-m", "mine")}


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("mine = no_such_module:ROW", "as no_such_module:ROW, cannot be loaded: No module named"),
        ("mine = wrong:MISSING", "as wrong:MISSING, cannot be loaded: .*MISSING"),
        ("mine = wrong:TEXT", "as wrong:TEXT is no table but str"),
    ],
)
def test_a_wrong_entry_is_one_line_that_names_the_distribution(site: Path, entry: str, problem: str) -> None:
    install(site, "wrong", entry)
    with pytest.raises(
        LocalCloudError, match=f"The image 'mine', which wrong registers {problem}.* uninstall it"
    ) as said:
        image_table.read_registered()
    assert "\n" not in str(said.value)


def test_two_distributions_cannot_register_one_image(site: Path) -> None:
    install(site, "first", "mine = first:ROW")
    install(site, "second", "mine = second:ROW")
    with pytest.raises(LocalCloudError, match="registered by another distribution as well"):
        image_table.read_registered()

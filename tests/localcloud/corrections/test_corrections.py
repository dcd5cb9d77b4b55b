"""Corrections name themselves, fit their MiniStack or say so, and go with one version of it."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
from commands import BIN, clean_environment, run

from localcloud import corrections
from localcloud.corrections import seam

HERE = Path(corrections.__file__).parent


def test_each_correction_says_what_it_corrects_how_that_is_known_and_for_which_version() -> None:
    found = corrections.corrections()
    assert tuple(one.name for one in found) == corrections.MODULES
    for one in found:
        assert one.ministack == corrections.TESTED_MINISTACK == version("ministack")
        assert one.behaviour.endswith(".")
        assert one.evidence.endswith(".")
        assert len(one.behaviour) > 40
        assert len(one.evidence) > 40


def test_each_correction_has_a_test() -> None:
    tests = {file.stem.removeprefix("test_") for file in Path(__file__).parent.glob("test_*.py")}
    assert set(corrections.MODULES) <= tests


def test_every_module_that_applies_something_is_listed() -> None:
    applied = {file.stem for file in HERE.glob("*.py") if re.search(r"^def apply\(", file.read_text(), re.MULTILINE)}
    assert applied == set(corrections.MODULES)


def test_a_seam_that_has_changed_is_refused_by_name() -> None:
    module = SimpleNamespace(__name__="of_ministack", there=lambda a, b: a + b)
    seam.replace("corrections.this", module, "there", "a", "b", by=lambda before: lambda a, b: -before(a, b))
    assert module.there(1, 2) == -3
    with pytest.raises(seam.SeamError, match=r"Correction this .*of_ministack\.gone does not exist"):
        seam.replace("corrections.this", module, "gone", by=lambda before: before)
    with pytest.raises(seam.SeamError, match=r"Correction this .*of_ministack\.there takes \('a', 'b'\)"):
        seam.replace("corrections.this", module, "there", "a", by=lambda before: before)


def test_a_ministack_that_does_not_fit_is_not_served(tmp_path: Path) -> None:
    source = "from ministack.services import lambda_svc\ndel lambda_svc._execute_function_warm\n"
    source += "import sys\nfrom localcloud import ministack\nsys.argv = ['ministack', '--stepfunctions', 'http://127.0.0.1:1']\nministack.main()\n"
    done = subprocess.run(
        [sys.executable, "-c", source],
        env={**clean_environment(tmp_path), "GATEWAY_PORT": "0"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Correction function_results does not fit this MiniStack: ")


def test_another_ministack_than_the_tested_one_is_refused_unless_told_otherwise(tmp_path: Path, state: Path) -> None:
    other = tmp_path / "other" / "ministack-99.1.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: ministack\nVersion: 99.1\n")
    words = ("up", "--state", str(state), "--port", "0", "--sagemaker-port", "0")
    path = {"PYTHONPATH": str(other.parent)}

    def bring_up(**more: str) -> subprocess.CompletedProcess[str]:
        environment = {**clean_environment(tmp_path), **path, **more}
        return run(BIN / "localcloud", *words, environment=environment, folder=tmp_path)

    refused = bring_up()
    assert refused.returncode == 1
    assert "MiniStack 99.1 is installed, tested is 1.5.33." in refused.stderr
    assert "LOCALCLOUD_ANY_MINISTACK=1" in refused.stderr
    assert bring_up(LOCALCLOUD_ANY_MINISTACK="1").returncode == 0

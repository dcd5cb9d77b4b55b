"""A job's bundle: what travels, and what changes its address."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.definition.bundle import bundle
from project.errors import SconesError

FILES = {
    "project/__init__.py": "",
    "project/errors.py": "class SconesError(Exception): ...",
    "project/settings.py": "import pydantic",
    "steps/__init__.py": "",
    "steps/run.py": "import importlib\nfrom project.errors import SconesError",
    "steps/evaluate.py": "def main(argv):\n"
    "    from monitoring.analysis.features import entropy\n    import monitoring.measures.metrics",
    "monitoring/measures/__init__.py": "",
    "monitoring/analysis/__init__.py": "",
    "monitoring/measures/metrics.py": "import numpy",
    "steps/manifests.py": "from monitoring.measures import metrics",
    "steps/manifests-requirements.txt": "great-expectations",
    "steps/train/__init__.py": "from steps.train.network import Network",
    "steps/train/network.py": "import torch",
    "steps/train/inference.py": "import onnxruntime",
    "steps/train/__pycache__/network.pyc": "compiled",
    "monitoring/__init__.py": "",
    "monitoring/analysis/features.py": "from __future__ import annotations",
    "monitoring/dashboard.py": "import streamlit",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def paths(job: str, root: Path) -> set[str]:
    return {path for path, _ in bundle(job, root).files}


COMMON = {"run.py", "steps/__init__.py", "project/__init__.py", "project/errors.py"}


def test_imports_are_followed_also_inside_functions_and_into_other_rooms(root: Path) -> None:
    assert paths("evaluate", root) == COMMON | {
        *(
            "steps/evaluate.py",
            "monitoring/measures/metrics.py",
            "monitoring/measures/__init__.py",
            "monitoring/analysis/__init__.py",
            "monitoring/__init__.py",
            "monitoring/analysis/features.py",
        ),
    }


def test_a_package_travels_whole_but_for_compiled_files(root: Path) -> None:
    assert paths("train", root) == COMMON | {f"steps/train/{n}.py" for n in ("__init__", "network", "inference")}


def test_data_files_named_after_the_job_travel_with_it(root: Path) -> None:
    assert paths("manifests", root) == COMMON | {
        *("steps/manifests.py", "steps/manifests-requirements.txt", "monitoring/__init__.py"),
        *("monitoring/measures/__init__.py", "monitoring/measures/metrics.py"),
    }


@pytest.mark.parametrize(
    ("edited", "changed"),
    [
        ("steps/run.py", {"evaluate", "manifests", "train"}),
        ("project/errors.py", {"evaluate", "manifests", "train"}),
        ("monitoring/measures/metrics.py", {"evaluate", "manifests"}),
        ("steps/train/inference.py", {"train"}),
        ("steps/manifests-requirements.txt", {"manifests"}),
        ("project/settings.py", set()),
        ("monitoring/dashboard.py", set()),
    ],
)
def test_an_edit_changes_the_address_of_the_jobs_that_use_the_file(root: Path, edited: str, changed: set[str]) -> None:
    before = {job: bundle(job, root).digest for job in ("evaluate", "manifests", "train")}
    (root / edited).write_text(FILES[edited] + "\n# edited\n")
    assert {job for job in before if bundle(job, root).digest != before[job]} == changed


def test_contents_that_move_between_files_change_the_address(root: Path) -> None:
    before = bundle("manifests", root).digest
    (root / "steps/manifests-requirements.txt").rename(root / "steps/manifests-needs.txt")
    assert bundle("manifests", root).digest != before


def test_a_job_without_code_is_named(root: Path) -> None:
    with pytest.raises(SconesError, match="no job 'deploy'"):
        bundle("deploy", root)


def test_code_that_is_not_python_is_named_with_its_file(root: Path) -> None:
    (root / "monitoring/measures/metrics.py").write_text("def (:")
    with pytest.raises(SconesError, match=r"metrics\.py"):
        bundle("manifests", root)

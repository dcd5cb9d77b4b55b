"""Which program stands in for an image."""

from pathlib import Path

import pytest

from localcloud.errors import LocalCloudError
from localcloud.sagemaker import images
from localcloud.sagemaker.errors import ServiceError

ACCOUNT = "763104351884.dkr.ecr.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        (f"{ACCOUNT}/pytorch-training:2.10-cpu-py313", "pytorch-training"),
        (f"{ACCOUNT}/pytorch-training@sha256:0123", "pytorch-training"),
        (f"{ACCOUNT}/team/classifier:latest", "team/classifier"),
        ("localhost:5000/classifier", "classifier"),
        ("image-classification:1", "image-classification"),
        ("team/classifier", "team/classifier"),
    ],
)
def test_the_repository_is_what_counts_of_an_image(image: str, repository: str) -> None:
    assert images.repository(image) == repository


def test_an_unknown_image_is_refused_with_the_way_to_add_it() -> None:
    with pytest.raises(ServiceError) as refusal:
        images.program(f"{ACCOUNT}/sagemaker-xgboost:1.7", "train")
    assert refusal.value.code == "ValidationException"
    assert "register 'sagemaker-xgboost' in the entry point group localcloud.images" in refusal.value.message


def test_an_image_is_refused_for_what_it_cannot_do() -> None:
    with pytest.raises(ServiceError, match="cannot serve"):
        images.program(f"{ACCOUNT}/pytorch-training:2.10", "serve")


def install(site: Path, name: str, entries: str) -> None:
    """A distribution with entry points of the group, as an installer leaves it: a module and a dist-info folder."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[localcloud.images]\n{entries}\n")
    (site / f"{name}.py").write_text(
        "from localcloud.sagemaker.images import Program\n"
        "PROGRAM = Program(frozenset({'process'}), ('python3', '-m', 'mine'))\n"
        "TEXT = 'python3 -m mine'\n"
    )


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that Python looks for distributions in."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_an_installed_distribution_registers_a_program_for_an_image(site: Path) -> None:
    install(site, "of_mine", "team/mine = of_mine:PROGRAM")
    assert images.read_registered()["team/mine"].command == ("python3", "-m", "mine")


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("mine = no_such_module:PROGRAM", "as no_such_module:PROGRAM, cannot be loaded: No module named"),
        ("mine = wrong:MISSING", "as wrong:MISSING, cannot be loaded: .*MISSING"),
        ("mine = wrong:TEXT", "as wrong:TEXT, is no Program but str"),
    ],
)
def test_a_wrong_entry_is_one_line_that_names_the_distribution(site: Path, entry: str, problem: str) -> None:
    install(site, "wrong", entry)
    with pytest.raises(
        LocalCloudError, match=f"The image 'mine', which wrong registers {problem}.* uninstall it"
    ) as said:
        images.read_registered()
    assert "\n" not in str(said.value)


def test_two_distributions_cannot_register_one_image(site: Path) -> None:
    install(site, "first", "mine = first:PROGRAM")
    install(site, "second", "mine = second:PROGRAM")
    with pytest.raises(LocalCloudError, match="registered by another distribution as well"):
        images.read_registered()


def test_what_this_project_registers_can_be_loaded() -> None:
    assert images.registered()["sagemaker-model-monitor-analyzer"].uses == {"process"}

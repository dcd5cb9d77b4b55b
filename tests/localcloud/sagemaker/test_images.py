"""Which program stands in for an image."""

import pytest

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
    assert "put 'sagemaker-xgboost' into PROGRAMS in localcloud/sagemaker/images.py" in refusal.value.message


def test_an_image_is_refused_for_what_it_cannot_do() -> None:
    with pytest.raises(ServiceError, match="cannot serve"):
        images.program(f"{ACCOUNT}/pytorch-training:2.10", "serve")

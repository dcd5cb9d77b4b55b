"""The container images of the pipeline, as the SDK knows them for a region."""

from __future__ import annotations

from typing import cast

from sagemaker.core import image_uris

PYTORCH = "2.6.0"
"""The newest PyTorch that has both a training and an inference container: a model is served by what trained it."""


def processing(region: str) -> str:
    """scikit-learn's container on Python 3.12: numpy and pandas for extraction, manifests and evaluation."""
    return cast("str", image_uris.retrieve("sklearn", region, version="1.9-0", instance_type="ml.m5.xlarge"))


def image_classification(region: str) -> str:
    """AWS's built-in image-classification algorithm, for training and for inference."""
    return cast("str", image_uris.retrieve("image-classification", region))


def pytorch(region: str, scope: str, instance_type: str) -> str:
    """PyTorch's container for `scope` ("training" or "inference"); the instance type decides between CPU and GPU."""
    return cast(
        "str",
        image_uris.retrieve(
            "pytorch", region, version=PYTORCH, py_version="py312", instance_type=instance_type, image_scope=scope
        ),
    )

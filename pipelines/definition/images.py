"""The container images of the pipeline, as the SDK knows them for a region."""

from __future__ import annotations

from typing import Any

from sagemaker.core import image_uris

from project.errors import UsageError

PYTORCH = "2.6.0"
"""The newest PyTorch that has both a training and an inference container: a model is served by what trained it."""


def processing(region: str) -> str:
    """scikit-learn's container on Python 3.12: numpy and pandas for extraction, manifests and evaluation."""
    return _image("sklearn", region, version="1.9-0", instance_type="ml.m5.xlarge")


def image_classification(region: str) -> str:
    """AWS's built-in image-classification algorithm, for training and for inference."""
    return _image("image-classification", region)


def pytorch(region: str, scope: str, instance_type: str) -> str:
    """PyTorch's container for `scope` ("training" or "inference"); the instance type decides between CPU and GPU."""
    versions = {"version": PYTORCH, "py_version": "py312"}
    return _image("pytorch", region, **versions, instance_type=instance_type, image_scope=scope)


def _image(framework: str, region: str, **wanted: Any) -> str:
    """The image's address.

    Raises:
        UsageError: the SDK knows none; it says so with ValueError or, of a region, KeyError.
    """
    try:
        return str(image_uris.retrieve(framework, region, **wanted))
    except (ValueError, KeyError) as error:
        kind = f" and {wanted['instance_type']}" if "instance_type" in wanted else ""
        reason = str(error.args[0]).splitlines()[0] if error.args else type(error).__name__
        raise UsageError(
            f"There is no {framework} container for {region}{kind}: {reason[:200]}", "Choose another in scones.toml."
        ) from None

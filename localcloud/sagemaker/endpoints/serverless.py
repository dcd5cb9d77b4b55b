"""Serverless variants: a concurrency instead of instances, and what AWS does not let them be combined with.

Source: "Deploy models with Amazon SageMaker Serverless Inference" in the developer guide, with its exclusions and its
limit of 4 MB for a request and an answer. Here one process serves a variant, from the endpoint's start to its end:
it does not go when nobody calls, so no request waits for a cold start.
"""

from __future__ import annotations

from collections.abc import Sequence

from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.models import containers
from localcloud.sagemaker.store import Body

STARTUP_SECONDS = 180.0
"""How long a container may take until /ping answers 200."""
MOST_BYTES = 4 << 20
"""Of a request's body, and of an answer's."""
GIGABYTE_IN_MB = 1024
OF_INSTANCES = ("InstanceType", "InitialInstanceCount")
"""Members of a variant that say which instances it has."""


def check_config(request: Body) -> None:
    """Refuse what a configuration with a serverless variant cannot be.

    Raises:
        ServiceError: ValidationException.
    """
    variants: Sequence[Body] = request["ProductionVariants"]
    chosen = [variant for variant in variants if variant.get("ServerlessConfig")]
    if not chosen:
        return
    if len(variants) > 1:
        raise validation("An endpoint with a ServerlessConfig has one production variant: it may not have several.")
    if (request.get("DataCaptureConfig") or {}).get("EnableCapture"):
        raise validation("Data capture is not supported for serverless endpoints: leave the DataCaptureConfig out.")
    for name in ("VpcConfig", "EnableNetworkIsolation"):
        if request.get(name):
            raise validation(f"{name} is not supported for serverless endpoints.")
    [variant] = chosen
    if both := [name for name in OF_INSTANCES if name in variant]:
        raise validation(f"The variant {variant['VariantName']!r} has a ServerlessConfig, so it cannot have {both[0]}.")
    _check_sizes(variant["ServerlessConfig"])


def _check_sizes(config: Body) -> None:
    if config["MemorySizeInMB"] % GIGABYTE_IN_MB:
        raise validation(f"MemorySizeInMB is {config['MemorySizeInMB']}; it must be a multiple of {GIGABYTE_IN_MB}.")
    provisioned = config.get("ProvisionedConcurrency")
    if provisioned is not None and provisioned > config["MaxConcurrency"]:
        raise validation(
            f"ProvisionedConcurrency {provisioned} must be less than or equal to MaxConcurrency "
            f"{config['MaxConcurrency']}."
        )


def check_model(model: Body, container: Body) -> None:
    """Refuse a model that no serverless endpoint serves.

    Args:
        model: the CreateModel request.
        container: the first of its containers, with what follows it.

    Raises:
        ServiceError: ValidationException.
    """
    for name in ("VpcConfig", "EnableNetworkIsolation"):
        if model.get(name):
            raise validation(f"The model {model['ModelName']!r} has {name}: not supported for serverless endpoints.")
    if len(containers(container)) > 1:
        raise validation(f"The model {model['ModelName']!r} is an inference pipeline: not supported for serverless.")


def changed(config: Body, update: Body) -> Body:
    """A ServerlessConfig after UpdateEndpointWeightsAndCapacities.

    Raises:
        ServiceError: ValidationException.
    """
    new = {**config, **update}
    _check_sizes(new)
    return new

"""What an endpoint runs: an endpoint configuration with everything it refers to, copied when it is deployed.

A live endpoint depends on nothing else in the store: its configuration, model and model package may be deleted, as on
AWS, and it is still served, also after a restart of this server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from localcloud.sagemaker import images
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints import serverless
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.jobs.model_server import STARTUP_SECONDS
from localcloud.sagemaker.models import MODEL, container, containers
from localcloud.sagemaker.resources import existing
from localcloud.sagemaker.store import Body

MOST_INSTANCES = 8
"""Serving processes of one endpoint; there is one for each instance."""


@dataclass(frozen=True)
class Variant:
    """A model with its share of the traffic.

    Attributes:
        container: image, model data and environment of the model.
        startup_seconds: how long /ping may take to answer 200.
        role: the model's, in whose name its data is fetched and its process runs where roles are enforced.
        network: whether the process may reach anything, see localcloud/isolation.
        serverless: its ServerlessConfig; None for a variant with instances.
    """

    name: str
    model: str
    instances: int
    weight: float
    container: Body
    startup_seconds: float
    instance_type: str
    role: str = ""
    network: bool = True
    serverless: Body | None = None


@dataclass(frozen=True)
class EndpointPlan:
    """What a deployment brings into service; `capture` is the DataCaptureConfig, empty when there is none."""

    config: str
    variants: tuple[Variant, ...]
    capture: Body

    @property
    def instances(self) -> int:
        return sum(variant.instances for variant in self.variants)

    def to_body(self) -> Body:
        """The plan as JSON, for the store."""
        return asdict(self)


def from_body(body: Mapping[str, Any]) -> EndpointPlan:
    """The plan that `to_body` gave."""
    return EndpointPlan(body["config"], tuple(Variant(**variant) for variant in body["variants"]), body["capture"])


def plan(cloud: Cloud, config: Body) -> EndpointPlan:
    """What an endpoint configuration asks for.

    Raises:
        ServiceError: ValidationException, when a model is gone or cannot be served here; ResourceLimitExceeded.
    """
    made = EndpointPlan(
        config["EndpointConfigName"],
        tuple(_variant(cloud, variant) for variant in config["ProductionVariants"]),
        config.get("DataCaptureConfig") or {},
    )
    return limited(made)


def limited(made: EndpointPlan) -> EndpointPlan:
    """The plan, if it has no more instances than one machine should run.

    Raises:
        ServiceError: ResourceLimitExceeded.
    """
    if made.instances > MOST_INSTANCES:
        types = ", ".join(sorted({variant.instance_type for variant in made.variants}))
        raise ServiceError(
            "ResourceLimitExceeded",
            f"The local limit '{types} for endpoint usage' is {MOST_INSTANCES} Instances, with a request delta of "
            f"{made.instances} Instances: every instance is a process on this machine.",
        )
    return made


def _variant(cloud: Cloud, request: Body) -> Variant:
    model = existing(cloud, MODEL, request["ModelName"])
    served = container(cloud, model.body, approved=False)
    without_instances = request.get("ServerlessConfig")
    if without_instances:
        serverless.check_model(model.body, served)
    patience = serverless.STARTUP_SECONDS if without_instances else STARTUP_SECONDS
    return Variant(
        name=request["VariantName"],
        model=model.name,
        instances=request.get("InitialInstanceCount", 1),
        weight=float(request.get("InitialVariantWeight", 1.0)),
        container=served,
        startup_seconds=float(request.get("ContainerStartupHealthCheckTimeoutInSeconds", patience)),
        instance_type=request.get("InstanceType", ""),
        role=model.body.get("ExecutionRoleArn", ""),
        network=not model.body.get("EnableNetworkIsolation"),
        serverless=without_instances,
    )


def require_serving(made: EndpointPlan) -> None:
    """Refuse to start what no local program serves.

    Raises:
        ServiceError: ValidationException.
    """
    for variant in made.variants:
        for one in containers(variant.container):
            images.program(one.get("Image", ""), "serve")


def retaining(new: EndpointPlan, live: EndpointPlan, excluded: set[str]) -> EndpointPlan:
    """`new` with what RetainAllVariantProperties keeps of `live`: counts and weights of variants of the same name,
    and data capture; but not the properties in `excluded`.
    """
    before = {variant.name: variant for variant in live.variants}
    variants = []
    for variant in new.variants:
        old = before.get(variant.name, variant)
        counted = variant.serverless or old.serverless or "DesiredInstanceCount" in excluded
        instances = variant.instances if counted else old.instances
        weight = variant.weight if "DesiredWeight" in excluded else old.weight
        variants.append(replace(variant, instances=instances, weight=weight))
    capture = new.capture if "DataCaptureConfig" in excluded else live.capture
    return limited(replace(new, variants=tuple(variants), capture=capture))

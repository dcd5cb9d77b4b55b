"""The endpoint's instances follow its traffic: Application Auto Scaling of its one variant, where MAX_INSTANCES is set.

How AWS behaves (SageMaker developer guide, "Update endpoints that use auto scaling", "Delete endpoints configured for
auto scaling"; API reference of UpdateEndpoint): a target can be registered only once its endpoint is there, so no
template can do it. An update to another model keeps the registration, but takes the instance count from the new
configuration unless RetainAllVariantProperties is true. An update to another instance type is refused while the variant
is registered. Deleting the endpoint ends the registration, if the caller may.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lambdas.deploy.attached import attached_version
from lambdas.deploy.endpoint import described_config
from lambdas.deploy.plan import VARIANT, DeployPlan, DeploySettings, Scaling
from lambdas.outcomes import OutcomeError
from lambdas.service_errors import calling

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
METRIC = "SageMakerVariantInvocationsPerInstance"
SCALE_OUT_SECONDS = 60
"""Pause after an instance was added. A new one takes minutes; the metric has a value a minute."""


@dataclass(frozen=True)
class Target:
    """What Application Auto Scaling calls the variant."""

    endpoint: str

    def named(self) -> dict[str, str]:
        """The three parameters that name it in every call."""
        resource = f"endpoint/{self.endpoint}/variant/{VARIANT}"
        return {"ServiceNamespace": "sagemaker", "ResourceId": resource, "ScalableDimension": DIMENSION}


def retained(host: DeploySettings) -> dict[str, Any]:
    """What an update of the endpoint keeps: the instance count that scaling came to, and nothing without scaling.

    Without it variant properties come from the configuration: keeping the old ones would hide a changed count.
    """
    if host.scaling is None:
        return {"RetainAllVariantProperties": False}
    given_anew = [{"VariantPropertyType": kind} for kind in ("DesiredWeight", "DataCaptureConfig")]
    return {"RetainAllVariantProperties": True, "ExcludeRetainedVariantProperties": given_anew}


def release(plan: DeployPlan, live: DeployPlan, sagemaker: Any, autoscaling: Any, host: DeploySettings) -> None:
    """End the registration before an update to another instance type, which SageMaker would refuse.

    Raises:
        OutcomeError: it may not be ended.
    """
    if host.scaling:
        before = described_config(sagemaker, live["EndpointConfigName"])
        if before and before["ProductionVariants"][0].get("InstanceType") != host.instance_type:
            _unregister(Target(plan["endpoint"]), autoscaling)


def scaled(plan: DeployPlan, autoscaling: Any, ssm: Any, host: DeploySettings) -> DeployPlan:
    """Register the variant and its policy, or end what an earlier deployment registered.

    A model that serves is not taken back because it does not scale: the plan's `scaling` says so, and so does the
    message about the deployment.
    """
    was, wanted = int(attached_version(ssm).get("max_instances", 0)), host.scaling
    try:
        if wanted:
            _register(Target(plan["endpoint"]), autoscaling, wanted, host.instance_count)
        elif was:
            _unregister(Target(plan["endpoint"]), autoscaling)
    except OutcomeError as error:
        return {**plan, "max_instances": was, "scaling": f" Its instance count does not follow: {error.problem}"}
    if wanted is None:
        return {**plan, "max_instances": 0, "scaling": ""}
    told = f" It grows to {wanted.max_instances} instances."
    return {**plan, "max_instances": wanted.max_instances, "scaling": told}


def restore(endpoint: str, autoscaling: Any, ssm: Any, host: DeploySettings) -> str:
    """Register the variant again if the live version was: its registration went with the endpoint, or for an update.

    Returns:
        A sentence about it; "" where nothing was registered, or nothing is to be any more.
    """
    if host.scaling is None or not attached_version(ssm).get("max_instances"):
        return ""
    _register(Target(endpoint), autoscaling, host.scaling, host.instance_count)
    return f"It grows to {host.scaling.max_instances} instances."


def _register(target: Target, autoscaling: Any, wanted: Scaling, least: int) -> None:
    with calling(f"registering {target.endpoint} with Application Auto Scaling"):
        autoscaling.register_scalable_target(**target.named(), MinCapacity=least, MaxCapacity=wanted.max_instances)
        autoscaling.put_scaling_policy(
            **target.named(),
            PolicyName=f"{target.endpoint}-traffic",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": float(wanted.target_invocations),
                "PredefinedMetricSpecification": {"PredefinedMetricType": METRIC},
                "ScaleOutCooldown": SCALE_OUT_SECONDS,
                "ScaleInCooldown": wanted.scale_in_seconds,
            },
        )


def _unregister(target: Target, autoscaling: Any) -> None:
    with calling(f"ending the registration of {target.endpoint} with Application Auto Scaling"):
        try:
            autoscaling.deregister_scalable_target(**target.named())  # its policies and their alarms go with it
        except ClientError as error:
            if error.response["Error"]["Code"] != "ObjectNotFoundException":
                raise

"""What bills, said before it begins. Prices differ by region and over time, so they are left to AWS's own page."""

from __future__ import annotations

from collections.abc import Mapping

from project.settings import Settings

PRICES = "https://aws.amazon.com/sagemaker/ai/pricing/"


def execution(settings: Settings, processing_jobs: int, parameters: Mapping[str, str] | None = None) -> str:
    """What one execution of the pipeline bills.

    Args:
        processing_jobs: how many processing jobs the pipeline has.
        parameters: the execution's own values; instance types among them win over the settings.
    """
    types, given = settings.instances, parameters or {}
    processing = given.get("ProcessingInstanceType", types.processing)
    training = given.get("TrainingInstanceType", types.training)
    transform = given.get("TransformInstanceType", types.transform)
    return (
        f"Billed on AWS per run, by the second while a job runs: {processing_jobs} processing jobs on {processing}, "
        f"training on {training}, batch transform on {transform}. Prices in {settings.region}: {PRICES}"
    )


def endpoint(settings: Settings) -> str:
    """What the endpoint bills for as long as it exists, with or without traffic."""
    count, kind = settings.serving.instance_count, settings.instances.endpoint
    return (
        f"Billed on AWS per hour until it is switched off: endpoint {settings.project}, {count} x {kind}; twice as "
        f"many while an update runs. Off: scones endpoint stop. Prices in {settings.region}: {PRICES}"
    )


def resources(settings: Settings) -> str:
    """What the stack itself bills: nothing by the hour."""
    return (
        "Billed on AWS per use: S3 storage, Lambda and Step Functions calls, logs, and alarms by the month; "
        f"nothing by the hour until a model is approved, then {settings.serving.instance_count} x "
        f"{settings.instances.endpoint}. Remove it all: scones cleanup."
    )

"""`scones models`: the versions in the registry, what was measured of each, who decided what, and which is live."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from project import settings
from project.console import emit, emit_json, say, table
from scones.cli.options import as_json_option

if TYPE_CHECKING:
    from pipelines.runs.in_service import InService
    from pipelines.runs.versions import Measured

COLUMNS = {"accuracy": "ACCURACY", "auc": "AUC", "expected_calibration_error": "CALIBRATION ERROR"}
"""Metrics of evaluation.json that the table shows."""


@click.command()
@as_json_option
def models(as_json: bool) -> None:
    """List the latest versions of the model, newest first: metrics, approval with who, when and why, which is live."""
    from pipelines.runs import in_service
    from pipelines.runs.versions import Versions

    group = settings.load().model_package_group
    found = Versions(group).all()
    now = in_service.found()
    if as_json:
        emit_json([_as_json(one, now) for one in found])
    elif found:
        header = ["VERSION", "APPROVAL", "STATE", *COLUMNS.values(), "REGISTERED (UTC)", "DECIDED"]
        emit(table([_row(one, now) for one in found], header))
    else:
        say(f"Group {group} has no model yet. Train one: scones start --wait.")


def _state(one: Measured, now: InService) -> str:
    if one.version.arn == now.served:
        return "live"
    return "coming" if one.version.arn == now.coming else ""


def _row(one: Measured, now: InService) -> list[str]:
    metrics = [f"{one.metrics[name]:.4f}" if name in one.metrics else "" for name in COLUMNS]
    if one.metrics.keys() >= {"accuracy", "accuracy_low", "accuracy_high"}:
        metrics[0] += f" ({one.metrics['accuracy_low']:.3f} to {one.metrics['accuracy_high']:.3f})"
    decided = [one.who or one.decided_by, _minute(one.decided) if one.decided else "", one.why]
    return [
        str(one.version.number),
        one.version.approval,
        _state(one, now),
        *metrics,
        _minute(one.version.registered),
        ", ".join(filter(None, decided)),
    ]


def _as_json(one: Measured, now: InService) -> dict[str, Any]:
    return {
        **asdict(one.version),
        "live": one.version.arn == now.served,
        "coming": one.version.arn == now.coming,
        "decided": one.decided,
        "decided_by": one.who or one.decided_by or None,
        "comment": one.why,
        "metrics": one.metrics,
        "properties": one.properties,
    }


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"

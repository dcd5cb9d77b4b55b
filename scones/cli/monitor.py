"""`scones monitor`: is the traffic that the endpoint sees like what its model was tested on?"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from project import aws
from project.console import emit, emit_json, say, table
from project.errors import UsageError
from scones.cli.options import FiniteRange, as_json_option

if TYPE_CHECKING:
    from monitoring.watch.runs import Run, Verdict

VIOLATIONS, UNJUDGED = 3, 4
"""Exit codes: everything worked, and the traffic is not as it should be; nothing can be said about it."""

_hours = click.option(
    "--hours", type=FiniteRange(0, 24 * 31, min_open=True), default=1.0, show_default=True, help="How far back."
)
_since = click.option("--since", type=click.DateTime(), help="From this time (UTC) on, instead of --hours.")


@click.group()
def monitor() -> None:
    """Compare captured traffic with the test set of the live version."""


@monitor.command()
@_hours
@_since
@click.option("--model-quality", is_flag=True, help="Join answers with the labels that people gave, instead.")
@as_json_option
def run(hours: float, since: datetime | None, model_quality: bool, as_json: bool) -> None:
    """Analyse the traffic up to now, and wait for the verdict.

    Exit codes: 0 healthy, 3 violations, 4 no verdict (no data, too few records, no baseline), 1 the run failed.
    """
    from monitoring.analysis.outcome import Outcome
    from monitoring.watch import runs

    found = runs.run(*_window(hours, since), model_quality)
    if as_json:
        emit_json(_as_json(found))
    else:
        emit(verdict_lines(found))
    if found.outcome is not Outcome.HEALTHY:
        sys.exit(VIOLATIONS if found.outcome is Outcome.VIOLATIONS else UNJUDGED)


@monitor.command()
@click.option("--runs", "most", type=click.IntRange(1, 100), default=5, show_default=True, help="How many to list.")
@as_json_option
def status(most: int, as_json: bool) -> None:
    """What is watched, by which scheduler and why, the latest runs, and when the next one is due."""
    from dataclasses import asdict

    from monitoring.watch import runs
    from monitoring.watch.schedule import DELAYS, attached
    from stepfunctions.threshold import UNFAMILIARITY, current

    found, names = attached(), aws.names()
    threshold = current(names.threshold_parameter).value
    limit = current(names.unfamiliarity_parameter, UNFAMILIARITY).value
    latest = runs.latest(found, most)
    if as_json:
        runs_found = [asdict(one) for one in latest]
        limits = {"confidence_threshold": threshold, "unfamiliarity_limit": limit}
        emit_json({"attached": asdict(found) if found else None, **limits, "runs": runs_found})
        return
    if found is None:
        emit("Nothing is watched. The deploy workflow attaches the monitor, or: scones monitor schedule on")
    else:
        emit(f"Version {found.version} on endpoint {found.endpoint}, since {_minute(found.since)}")
        emit(f"Schedule {aws.names().monitor}: {found.scheduler}, {found.state}. {found.why}")
        emit(f"Baseline: {found.statistics or 'none, so there can be no verdict'}")
        emit(f"Next run: {_minute(found.due)}, {DELAYS[found.scheduler]}" if found.due else "No run is due.")
    emit(f"Not routed: confidence below {threshold:g}, or unfamiliarity above {limit:g}")
    if latest:
        emit(table([_row(one) for one in latest], ["BEGAN", "RUN", "OUTCOME", "MESSAGE"]))
    else:
        emit("No runs yet.")


@monitor.command()
@_hours
@_since
@click.option("--captures", metavar="FOLDER|S3", help="Anybody's capture files instead, all of them without a time.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("monitor-report"),
    show_default=True,
    help="Folder for the page.",
)
@as_json_option
@click.pass_context
def report(
    context: click.Context, hours: float, since: datetime | None, captures: str | None, output: Path, as_json: bool
) -> None:
    """Draw the captured traffic: one HTML page with its charts."""
    from monitoring.analysis.capture import EVER, Window
    from scones.reports.monitor_report import write_report, write_report_of

    if captures:
        given = any(context.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in ("hours", "since"))
        page, shown = write_report_of(captures, Window(*_window(hours, since)) if given else EVER, output)
    else:
        page, shown = write_report(*_window(hours, since), output)
    if as_json:
        emit_json({"page": str(page), "outcome": shown.found.outcome.value, "records": len(shown.history)})
    else:
        emit(str(page))
        say(shown.found.message)


@monitor.command()
@click.argument("key")
@click.argument("class_name", metavar="CLASS")
@click.option("--by", metavar="NAME", help="Who says so. Default: your user name.")
@as_json_option
def label(key: str, class_name: str, by: str | None, as_json: bool) -> None:
    """Say what a picture really showed: KEY is the inference id of the request, or its event id.

    CLASS may be `neither`: such a picture counts in no accuracy, and no model learns from it.
    """
    import getpass

    from monitoring.analysis.ground_truth import NEITHER, NEITHER_NAME
    from monitoring.watch import labels

    if not key.strip():
        raise UsageError("No label was given: the key is empty.", "Name the request's inference id, or its event id.")
    names = aws.names()
    classes = names.settings.classes
    number = labels.number_of(class_name, classes)
    given = labels.give(names.bucket, names.endpoint, key, number, by or getpass.getuser())
    said = NEITHER_NAME if number == NEITHER else classes[number]
    if as_json:
        emit_json({"event": key, "class": said, "uri": names.uri(given.key)})
    else:
        emit(names.uri(given.key))
        counts = "scones monitor run --model-quality, " if number != NEITHER else ""
        say(f"{key} is {said}. It counts from now on in: {counts}scones start --reviewed")


@monitor.command()
@as_json_option
def publish(as_json: bool) -> None:
    """Make a data set of the labelled deliveries: what retraining on drift starts with, and scones start --reviewed.

    Each picture has the label that most people gave it; where as many say otherwise it is left out, and named. A set
    is called by its content and never changes.
    """
    from pipelines.runs import reviewed

    names = aws.names()
    published = reviewed.publish(names)
    if as_json:
        counts = published.counts(names.settings.classes)
        emit_json({"uri": published.uri, "pictures": counts, "left_out": published.left_out})
    else:
        emit(published.uri)


@monitor.command()
@click.argument("switch", type=click.Choice(["on", "off"]), required=False)
@as_json_option
def schedule(switch: str | None, as_json: bool) -> None:
    """Attach the monitor to the live version (on), or delete its schedule (off); without either, say what there is."""
    from dataclasses import asdict

    from monitoring.watch.schedule import ask_monitor, attached

    if switch:
        answer = ask_monitor("attach" if switch == "on" else "detach")
        if not as_json:
            emit(answer["message"])
    found = attached()
    if as_json:
        emit_json(asdict(found) if found else None)
    elif found:
        emit(f"{aws.names().monitor}: {found.scheduler}, {found.state}. {found.why}")
    elif not switch:
        emit("There is no schedule.")


def verdict_lines(found: Verdict) -> str:
    """What a person reads of a verdict: the message, each violation, where the files are."""
    lines = [found.summary["message"]]
    lines += [f"  {one['feature_name']}: {one['description']}" for one in found.violations]
    if "confusion_matrix" not in found.summary and "records" in found.summary:
        lines.append(f"  {found.summary['records']} requests, {_low(found.summary)}")
    if lost := found.summary.get("unmatched_labels"):
        lines.append(f"  labels of no captured answer in this window: {lost} (the job's log names them)")
    return "\n".join([*lines, f"  {found.run.output}"])


def _low(summary: dict[str, Any]) -> str:
    low, strange = summary["low_confidence_share"], summary["unfamiliar_share"]
    if low is None:
        return "no answers"
    said = f"{low:.0%} of the answers below {summary['confidence_threshold']:g}"
    if strange is None:
        return said
    return f"{said}, {strange:.0%} of the pictures unfamiliar (above {summary['unfamiliarity_limit']:g})"


def _as_json(found: Verdict) -> dict[str, Any]:
    return {
        "outcome": found.outcome.value,
        "job": found.run.job,
        "output": found.run.output,
        "violations": found.violations,
        "summary": {name: value for name, value in found.summary.items() if name != "metrics"},
    }


def _window(hours: float, since: datetime | None) -> tuple[datetime, datetime]:
    end = datetime.now(UTC) + timedelta(seconds=1)  # records know their second only
    return (since.replace(tzinfo=UTC) if since else end - timedelta(hours=hours)), end


def _row(one: Run) -> list[str]:
    said = one.outcome.value if one.outcome else one.status
    return [_minute(one.began), one.job, said, one.message.partition(": ")[2] or one.message]


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"

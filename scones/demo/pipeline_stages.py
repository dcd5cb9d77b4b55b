"""The demo's stages, in order. Each does what a verb of `scones` does and returns the line that says how it went."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from infra import stack
from localcloud import environment, up
from localcloud.errors import PortInUseError
from pipelines import checks
from pipelines.checks.settings_checks import settings_agree
from pipelines.definition.build import Built, build
from pipelines.registry import versions
from pipelines.runs import executions, follow, inputs, results, upsert
from project import aws, console, settings
from project.errors import SconesError
from project.names import Names
from scones.data.archive import write_sample
from scones.demo import monitor_stages, serving_stages
from scones.demo.stages import Demo
from scones.reports.publish import publish_report

SAMPLE = "sample-cifar-100-python.tar.gz"
SAMPLE_EPOCHS = "8"
"""Enough for drawn pictures; an archive of real ones gets the algorithm's own number."""
CAPTURE_SECONDS = "2"
"""How long captured requests wait for their file: a minute on AWS."""


def start_local_cloud(demo: Demo) -> str:
    """Bring the local cloud up, on free ports if the usual ones are taken, and point this process at it."""
    os.environ.setdefault("LOCALCLOUD_CAPTURE_SECONDS", CAPTURE_SECONDS)
    region = settings.load().region
    try:
        running = up.start(demo.state, region=region, enforce_roles=demo.enforce_roles)
    except PortInUseError:
        running = up.start(demo.state, port=0, sagemaker_port=0, region=region, enforce_roles=demo.enforce_roles)
    if running.started:
        demo.closers.append(partial(up.stop, demo.state))
    wanted = up.environment(running)
    for name in environment.in_the_way(os.environ, wanted):
        del os.environ[name]
    os.environ.update(wanted)
    demo.found["endpoints"] = {"aws": running.addresses.ministack, "sagemaker": running.addresses.sagemaker}
    return f"{running.addresses.ministack}, SageMaker {running.addresses.sagemaker}"


def deploy_account(demo: Demo) -> str:
    """Deploy the account's resources from their CloudFormation template.

    With a layer of what is installed, because the local cloud runs functions in this interpreter, and without the two
    minutes in which an updated endpoint is watched.
    """
    names = aws.names()
    at_once = names.settings.serving.model_copy(update={"bake_seconds": 0})
    hurried = Names(names.settings.model_copy(update={"serving": at_once}), names.account)
    deployed = stack.deploy(hurried, console.say, layer="installed")
    demo.found["bucket"] = deployed.outputs["BucketName"]
    done = f"{len(deployed.changes)} resources" if deployed.changes else "nothing to change"
    return f"stack {deployed.stack}: {done}"


def prepare_archive(demo: Demo) -> str:
    """The archive named, or a drawn one."""
    if demo.archive:
        demo.found["archive"] = str(demo.archive)
        return f"{demo.archive}, {demo.archive.stat().st_size / 1e6:.1f} MB"
    file = demo.outputs / SAMPLE
    written = write_sample(file, "python", 500, 100, aws.names().settings.seed, False)
    demo.found["archive"] = str(file)
    return f"drew {written['images']:,} pictures of {len(written['classes'])} classes"


def upsert_pipeline(demo: Demo) -> str:
    """Check the pipeline, then create or update it."""
    built = _built(demo)
    found = [*settings_agree(built.names.settings), *checks.problems(built.definition)]
    if found:
        raise SconesError(f"{len(found)} problems in the pipeline, the first: {found[0]}")
    outcome = upsert.upsert(built)
    demo.found |= {"pipeline": outcome.arn, "algorithm": built.names.settings.algorithm}
    steps = len(built.definition["Steps"]) + sum(
        len(step["Arguments"]["IfSteps"]) + len(step["Arguments"]["ElseSteps"])
        for step in built.definition["Steps"]
        if step["Type"] == "Condition"
    )
    return f"{steps} steps, {len(checks.CHECKS)} checks passed, {outcome.action} as version {outcome.version}"


def run_execution(demo: Demo) -> str:
    """Start the pipeline and follow it to its end: extract, split, train, score, evaluate, gate, register."""
    given = inputs.upload_archive(aws.names(), demo.found["archive"])
    if not demo.archive:
        given["Epochs"] = SAMPLE_EPOCHS
        usual = aws.names().settings.training_epochs
        console.say(f"         trains {SAMPLE_EPOCHS} epochs: enough for drawn pictures; `scones start` trains {usual}")
    name = aws.names().settings.pipeline_name
    arn = executions.start(name, given, None, inputs.commit(Path.cwd()))
    demo.found["execution"] = arn
    description, steps = follow.follow(arn, lambda line: console.say(f"         {line}"))
    demo.found["pipeline_steps"] = [_step(step) for step in steps]
    follow.raise_unless_succeeded(description, steps)
    return f"{executions.execution_id(arn)} {description['PipelineExecutionStatus']}"


def save_evaluation(demo: Demo) -> str:
    """Read what the Evaluate step measured, and keep it beside the reports."""
    measured = results.evaluation(demo.found["execution"])
    file = demo.outputs / "evaluation.json"
    file.write_text(json.dumps(measured, indent=2, allow_nan=False), encoding="utf-8")
    metrics = measured["metrics"]
    demo.found |= {"evaluation": str(file), "accuracy": metrics["accuracy"]}
    low, high = metrics["accuracy_low"], metrics["accuracy_high"]
    return f"accuracy {metrics['accuracy']:.3f} (95 % interval {low:.3f} to {high:.3f})"


def find_version(demo: Demo) -> str:
    """The model package that the execution registered."""
    group = aws.names().settings.model_package_group
    found = versions(group)
    if not found:
        raise SconesError(f"The registry has no model in group {group}, although the gate said yes.")
    demo.found["model_package"] = found[0].arn
    return f"{group} version {found[0].number}, {found[0].approval}"


def write_report(demo: Demo) -> str:
    """The execution as one page: numbers, curves, mistakes, lineage."""
    folder = demo.outputs / "reports" / executions.execution_id(demo.found["execution"])
    page = publish_report(demo.found["execution"], folder).page
    demo.found["report"] = str(page)
    return str(page)


def _built(demo: Demo) -> Built:
    names = aws.names()
    if demo.algorithm:
        names = Names(names.settings.model_copy(update={"algorithm": demo.algorithm}), names.account)
    return build(names)


def _step(step: dict[str, Any]) -> dict[str, Any]:
    seconds = (step["EndTime"] - step["StartTime"]).total_seconds() if "EndTime" in step else None
    return {
        "name": step["StepName"],
        "status": step["StepStatus"],
        "seconds": seconds,
        "cached": follow.is_cached(step),
    }


STAGES: tuple[tuple[str, Callable[[Demo], str]], ...] = (
    ("local cloud", start_local_cloud),
    ("account", deploy_account),
    ("archive", prepare_archive),
    ("pipeline", upsert_pipeline),
    ("execution", run_execution),
    ("evaluation", save_evaluation),
    ("registry", find_version),
    ("report", write_report),
    *serving_stages.STAGES,
    *monitor_stages.STAGES,
)

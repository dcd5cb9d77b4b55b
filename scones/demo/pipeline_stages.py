"""The demo's acts, in order. Each does what a verb of `scones` does and returns the line that says how it went."""

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
from project import aws, console
from project.errors import SconesError
from project.names import Names
from scones.data.archive import write_sample
from scones.demo import monitor_stages, serving_stages
from scones.demo.stages import Story
from scones.reports.publish import publish_report

SAMPLE = "sample-cifar-100-python.tar.gz"
SAMPLE_EPOCHS = "25"
"""Enough for drawn pictures; an archive of real ones gets the algorithm's own number."""
DEFAULT_PORTS_TAKEN = (0, 0)
CAPTURE_SECONDS = "2"
"""How long captured requests wait for their file: a minute on AWS."""


def local_cloud(story: Story) -> str:
    """Bring the local cloud up, on free ports if the usual ones are taken, and point this process at it."""
    os.environ.setdefault("LOCALCLOUD_CAPTURE_SECONDS", CAPTURE_SECONDS)
    try:
        running = up.start(story.state, enforce_roles=story.enforce_roles)
    except PortInUseError:
        running = up.start(story.state, *DEFAULT_PORTS_TAKEN, enforce_roles=story.enforce_roles)
    if running.started:
        story.closers.append(partial(up.stop, story.state))
    wanted = up.environment(running)
    for name in environment.in_the_way(os.environ, wanted):
        del os.environ[name]
    os.environ.update(wanted)
    story.found["endpoints"] = {"aws": running.addresses.ministack, "sagemaker": running.addresses.sagemaker}
    return f"{running.addresses.ministack}, SageMaker {running.addresses.sagemaker}"


def account(story: Story) -> str:
    """Deploy the account's resources from their CloudFormation template.

    The demo knows its cloud, which runs functions with the libraries of this environment: no layer. And nobody is to
    watch an updated endpoint bake for two minutes.
    """
    names = aws.names()
    at_once = names.settings.serving.model_copy(update={"bake_seconds": 0})
    hurried = Names(names.settings.model_copy(update={"serving": at_once}), names.account)
    deployed = stack.deploy(hurried, console.say, layer=False)
    story.found["bucket"] = deployed.outputs["BucketName"]
    done = f"{len(deployed.changes)} resources" if deployed.changes else "nothing to change"
    return f"stack {deployed.stack}: {done}"


def archive(story: Story) -> str:
    """The archive named, or a drawn one."""
    if story.archive:
        story.found["archive"] = str(story.archive)
        return f"{story.archive}, {story.archive.stat().st_size / 1e6:.1f} MB"
    file = story.outputs / SAMPLE
    written = write_sample(file, "python", 500, 100, aws.names().settings.seed, False)
    story.found["archive"] = str(file)
    return f"drew {written['images']:,} pictures of {len(written['classes'])} classes"


def pipeline(story: Story) -> str:
    """Check the pipeline, then create or update it."""
    built = _built(story)
    found = [*settings_agree(built.names.settings), *checks.problems(built.definition)]
    if found:
        raise SconesError(f"{len(found)} problems in the pipeline, the first: {found[0]}")
    outcome = upsert.upsert(built)
    story.found |= {"pipeline": outcome.arn, "algorithm": built.names.settings.algorithm}
    steps = len(built.definition["Steps"]) + sum(
        len(step["Arguments"]["IfSteps"]) + len(step["Arguments"]["ElseSteps"])
        for step in built.definition["Steps"]
        if step["Type"] == "Condition"
    )
    return f"{steps} steps, {len(checks.CHECKS)} checks passed, {outcome.action} as version {outcome.version}"


def execution(story: Story) -> str:
    """Start the pipeline and follow it to its end: extract, split, train, score, evaluate, gate, register."""
    given = inputs.archive_parameters(aws.names(), story.found["archive"])
    if not story.archive:
        given["Epochs"] = SAMPLE_EPOCHS
    name = aws.names().settings.pipeline_name
    arn = executions.start(name, given, None, inputs.commit(Path.cwd()))
    story.found["execution"] = arn
    description, steps = follow.follow(arn, lambda line: console.say(f"         {line}"))
    story.found["pipeline_steps"] = [_step(step) for step in steps]
    follow.raise_unless_succeeded(description, steps)
    return f"{executions.execution_id(arn)} {description['PipelineExecutionStatus']}"


def evaluation(story: Story) -> str:
    """Read what the Evaluate step measured, and keep it beside the reports."""
    measured = results.evaluation(story.found["execution"])
    file = story.outputs / "evaluation.json"
    file.write_text(json.dumps(measured, indent=2, allow_nan=False), encoding="utf-8")
    metrics = measured["metrics"]
    story.found |= {"evaluation": str(file), "accuracy": metrics["accuracy"]}
    low, high = metrics["accuracy_low"], metrics["accuracy_high"]
    return f"accuracy {metrics['accuracy']:.3f} (95 % interval {low:.3f} to {high:.3f})"


def registry(story: Story) -> str:
    """The model package that the execution registered."""
    group = aws.names().settings.model_package_group
    found = versions(group)
    if not found:
        raise SconesError(f"The registry has no model in group {group}, although the gate said yes.")
    story.found["model_package"] = found[0].arn
    return f"{group} version {found[0].number}, {found[0].approval}"


def report(story: Story) -> str:
    """The execution as one page: numbers, curves, mistakes, lineage."""
    folder = story.outputs / "reports" / executions.execution_id(story.found["execution"])
    page = publish_report(story.found["execution"], folder).page
    story.found["report"] = str(page)
    return str(page)


def _built(story: Story) -> Built:
    names = aws.names()
    if story.algorithm:
        names = Names(names.settings.model_copy(update={"algorithm": story.algorithm}), names.account)
    return build(names)


def _step(step: dict[str, Any]) -> dict[str, Any]:
    seconds = (step["EndTime"] - step["StartTime"]).total_seconds() if "EndTime" in step else None
    return {
        "name": step["StepName"],
        "status": step["StepStatus"],
        "seconds": seconds,
        "cached": follow.is_cached(step),
    }


ACTS: tuple[tuple[str, Callable[[Story], str]], ...] = (
    ("local cloud", local_cloud),
    ("account", account),
    ("archive", archive),
    ("pipeline", pipeline),
    ("execution", execution),
    ("evaluation", evaluation),
    ("registry", registry),
    ("report", report),
    *serving_stages.ACTS,
    *monitor_stages.ACTS,
)

"""What runs, as the page `docs/local-cloud.md` shows it: step types, images and operations, from their own tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from localcloud import image_table
from localcloud.sagemaker import operations, registry
from localcloud.sagemaker.engine.step_types import IMPLEMENTED, KINDS, REFUSED

DIFFERS = {
    "Processing": "",
    "Training": "",
    "Transform": "",
    "Tuning": "At most as many training jobs at a time as there are processors.",
    "Model": "The same request takes the model of an earlier execution. Several containers are a chain of processes.",
    "RegisterModel": "",
    "QualityCheck": "Tables in CSV and JSON lines; no pre- or postprocessing scripts; metrics without deviations.",
    "EndpointConfig": "",
    "Endpoint": "Created, or updated if it exists.",
    "Lambda": "Ten minutes at most, as documented. The words of a failure are ours.",
    "Callback": "An answer is waited for seven days; AWS documents no figure. Goes on after a restart of the server.",
    "Condition": "No Condition step in a branch, as documented.",
    "Fail": "",
}
"""What is not as on AWS, or worth to know, by step type."""
USES = {
    "Processing": "process",
    "Training": "train",
    "Transform": "serve",
    "Tuning": "train",
    "Model": "serve",
    "QualityCheck": "process",
    "Endpoint": "serve",
}
"""What the image of a step must be able to do."""


def step_table() -> str:
    """The step types as a table in Markdown."""
    runs = [f"| {name} | runs | {_behind(name)} | {DIFFERS[name]} |" for name in IMPLEMENTED]
    refused = [f"| {name} | refused | | {advice[0].upper()}{advice[1:]}. |" for name, advice in sorted(REFUSED.items())]
    return "\n".join(
        ["| step type | | image, operation | differs, or what to do |", "|---|---|---|---|", *runs, *refused]
    )


def image_list() -> str:
    """The rows of the image table that every installation has, by what they can do."""
    listed = image_table.programs(None)
    rows = []
    for use in ("process", "train", "serve"):
        names = ", ".join(f"`{one.repository}`" for one in listed if use in one.uses)
        other = "needs a row of yours" if use == "serve" else "with a script of the request"
        rows.append(f"| {use} | {names} | {other} |")
    return "\n".join(["| use | images | any other image |", "|---|---|---|", *rows])


def operation_table() -> str:
    """The API operations that are implemented, by the resource that they are about."""
    operations.load()
    by_module: dict[str, list[str]] = defaultdict(list)
    for name, handler in registry.OPERATIONS.handlers.items():
        by_module[handler.__module__.rpartition(".")[2]].append(name)
    rows = [
        f"| {module.replace('_', ' ')} | {', '.join(sorted(names))} |" for module, names in sorted(by_module.items())
    ]
    return "\n".join(["| about | operations |", "|---|---|", *rows])


def tables() -> Iterator[str]:
    """Everything that the page must hold."""
    yield step_table()
    yield image_list()
    yield operation_table()


def _behind(name: str) -> str:
    parts = [f"one that can {USES[name]}" if name in USES else "", KINDS[name].create if name in KINDS else ""]
    if name == "Endpoint":
        parts.append("UpdateEndpoint")
    other = {
        "Lambda": "Lambda's Invoke",
        "Callback": "SQS's SendMessage, SendPipelineExecutionStepSuccess and …Failure",
    }
    return "; ".join(part for part in [*parts, other.get(name, "")] if part)

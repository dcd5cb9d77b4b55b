"""What one step of an execution took, made, measured and wrote, as the services describe its job; for any pipeline."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pipelines.runs.executions import execution_id, list_steps
from pipelines.runs.step_log import Log
from project import aws, json_text
from project.s3 import split
from scones.desk.data.objects import body
from scones.reports.execution_graph import source_of

Pairs = list[tuple[str, str]]
LARGEST_FILE = 1_000_000
"""Bytes of a property file that are read for its numbers."""
MOST_METRICS = 100
SECRET = {"CallbackToken"}
"""Who has it may end the step."""


@dataclass
class StepFacts:
    """Inputs, outputs and settings by name; `log` is None for what writes none."""

    arn: str = ""
    reason: str = ""
    inputs: Pairs = field(default_factory=list)
    outputs: Pairs = field(default_factory=list)
    settings: Pairs = field(default_factory=list)
    metrics: list[tuple[str, float]] = field(default_factory=list)
    log: Log | None = None


def step_facts(execution: str, step: Mapping[str, Any]) -> StepFacts:
    """The facts of a step as ListPipelineExecutionSteps has it; of a cached one those of the step that ran.

    Raises:
        CloudError: its job cannot be described.
    """
    ran = _that_ran(execution, step)
    facts = StepFacts(reason=str(step.get("FailureReason", "")))
    for kind, members in ran.get("Metadata", {}).items():
        if kind in KINDS:
            KINDS[kind](facts, members, ran)
        else:
            facts.outputs += _pairs({name: value for name, value in members.items() if name not in SECRET})
    return facts


def _that_ran(execution: str, step: Mapping[str, Any]) -> Mapping[str, Any]:
    source = source_of(step)
    if not source or source == execution or step.get("Metadata"):
        return step
    with aws.explained(f"looking for step {step['StepName']} in execution {execution_id(source)}"):
        return next((one for one in list_steps(source) if one["StepName"] == step["StepName"]), step)


def file_metrics(step: Mapping[str, Any], facts: StepFacts) -> list[tuple[str, float]]:
    """The numbers in the property files of a step, given its entry in the definition.

    Raises:
        CloudError: S3 refused or did not answer.
    """
    outputs, found = dict(facts.outputs), list[tuple[str, float]]()
    for file in step.get("PropertyFiles") or []:
        folder = outputs.get(str(file.get("OutputName")), "")
        if not folder.startswith("s3://"):
            continue
        content = body(*split(f"{folder.rstrip('/')}/{file.get('FilePath')}"), first=0, length=LARGEST_FILE)
        try:
            document = json_text.parsed(content) if content else {}
        except ValueError:
            continue  # it is cut off, or no JSON: a condition on it says so itself
        found += _numbers(document)
    return found[:MOST_METRICS]


def _numbers(document: Any, path: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(document, dict):
        for name, value in document.items():
            yield from _numbers(value, f"{path}.{name}" if path else str(name))
    elif isinstance(document, int | float) and not isinstance(document, bool):
        yield path, float(document)


def _pairs(members: Mapping[str, Any]) -> Pairs:
    return [
        (str(name), value if isinstance(value, str) else json.dumps(value, default=str))
        for name, value in members.items()
    ]


def _described(operation: str, **request: str) -> dict[str, Any]:
    name = next(iter(request.values()))
    with aws.explained(f"describing {name}"):
        answer: dict[str, Any] = getattr(aws.client("sagemaker"), operation)(**request)
    return answer


def _training(facts: StepFacts, members: Mapping[str, Any], _step: Mapping[str, Any]) -> None:
    name = _name(facts, members["Arn"])
    job = _described("describe_training_job", TrainingJobName=name)
    facts.log = Log("/aws/sagemaker/TrainingJobs", f"{name}/")
    facts.reason = facts.reason or str(job.get("FailureReason", ""))
    facts.inputs += [(channel["ChannelName"], _source(channel)) for channel in job.get("InputDataConfig", [])]
    facts.settings += [
        *_image(job.get("AlgorithmSpecification", {}), "TrainingImage"),
        *_machine(job["ResourceConfig"]),
    ]
    facts.settings += [(one, value.strip('"')) for one, value in sorted(job.get("HyperParameters", {}).items())]
    if model := job.get("ModelArtifacts", {}).get("S3ModelArtifacts"):
        facts.outputs.append(("model", model))
    facts.metrics += [(one["MetricName"], float(one["Value"])) for one in job.get("FinalMetricDataList", [])]


def _processing(facts: StepFacts, members: Mapping[str, Any], _step: Mapping[str, Any]) -> None:
    name = _name(facts, members.get("Arn") or members["CheckJobArn"])
    job = _described("describe_processing_job", ProcessingJobName=name)
    facts.log = Log("/aws/sagemaker/ProcessingJobs", f"{name}/")
    facts.reason = facts.reason or str(job.get("FailureReason") or job.get("ExitMessage", ""))
    facts.inputs += [(one["InputName"], _source(one)) for one in job.get("ProcessingInputs", [])]
    for one in job.get("ProcessingOutputConfig", {}).get("Outputs", []):
        facts.outputs.append((one["OutputName"], one.get("S3Output", {}).get("S3Uri", "Feature Store")))
    specification = job.get("AppSpecification", {})
    facts.settings += [*_image(specification, "ImageUri"), *_machine(job["ProcessingResources"]["ClusterConfig"])]
    command = [*specification.get("ContainerEntrypoint", []), *specification.get("ContainerArguments", [])]
    facts.settings += [("command", " ".join(command))] if command else []


def _check(facts: StepFacts, members: Mapping[str, Any], step: Mapping[str, Any]) -> None:
    if members.get("CheckJobArn"):
        _processing(facts, members, step)
    facts.outputs += _pairs({name: value for name, value in members.items() if name != "CheckJobArn"})


def _transform(facts: StepFacts, members: Mapping[str, Any], _step: Mapping[str, Any]) -> None:
    name = _name(facts, members["Arn"])
    job = _described("describe_transform_job", TransformJobName=name)
    facts.log = Log("/aws/sagemaker/TransformJobs", f"{name}/")
    facts.reason = facts.reason or str(job.get("FailureReason", ""))
    facts.inputs.append(("data", _source(job["TransformInput"])))
    facts.inputs.append(("model", job["ModelName"]))
    facts.outputs.append(("answers", job.get("TransformOutput", {}).get("S3OutputPath", "")))
    facts.settings += _machine(job["TransformResources"])


def _tuning(facts: StepFacts, members: Mapping[str, Any], _step: Mapping[str, Any]) -> None:
    name = _name(facts, members["Arn"])
    job = _described("describe_hyper_parameter_tuning_job", HyperParameterTuningJobName=name)
    facts.reason = facts.reason or str(job.get("FailureReason", ""))
    facts.outputs += _pairs({f"jobs {name}": n for name, n in job.get("TrainingJobStatusCounters", {}).items() if n})
    best = job.get("BestTrainingJob", {})
    if best:
        facts.outputs.append(("best training job", best["TrainingJobName"]))
        facts.settings += sorted(best.get("TunedHyperParameters", {}).items())
        facts.log = Log("/aws/sagemaker/TrainingJobs", f"{best['TrainingJobName']}/")
        if objective := best.get("FinalHyperParameterTuningJobObjectiveMetric"):
            facts.metrics.append((objective["MetricName"], float(objective["Value"])))


def _model(facts: StepFacts, members: Mapping[str, Any], _step: Mapping[str, Any]) -> None:
    model = _described("describe_model", ModelName=_name(facts, members["Arn"]))
    facts.outputs.append(("model", model["ModelName"]))
    for container in [model.get("PrimaryContainer"), *model.get("Containers", [])]:
        if container:
            facts.inputs += [("model data", container["ModelDataUrl"])] if container.get("ModelDataUrl") else []
            facts.settings += _image(container, "Image")


def _registered(facts: StepFacts, members: Mapping[str, Any], _step: Mapping[str, Any]) -> None:
    facts.arn = str(members["Arn"])
    package = _described("describe_model_package", ModelPackageName=facts.arn)
    facts.outputs += _pairs(
        {
            label: package[name]
            for label, name in (
                ("group", "ModelPackageGroupName"),
                ("version", "ModelPackageVersion"),
                ("approval", "ModelApprovalStatus"),
            )
            if name in package
        }
    )
    for container in package.get("InferenceSpecification", {}).get("Containers", []):
        facts.inputs += [("model data", container["ModelDataUrl"])] if container.get("ModelDataUrl") else []


def _function(facts: StepFacts, members: Mapping[str, Any], step: Mapping[str, Any]) -> None:
    facts.arn = str(members.get("Arn", ""))
    facts.outputs += _outputs(members)
    parts = facts.arn.split(":")
    if len(parts) > 6 and "StartTime" in step:
        until = step["EndTime"] + timedelta(seconds=5) if "EndTime" in step else None
        facts.log = Log(f"/aws/lambda/{parts[6]}", since=step["StartTime"], until=until)


def _callback(facts: StepFacts, members: Mapping[str, Any], _step: Mapping[str, Any]) -> None:
    facts.inputs.append(("queue", str(members.get("SqsQueueUrl", ""))))
    facts.outputs += _outputs(members)


def _endpoint(facts: StepFacts, members: Mapping[str, Any], _step: Mapping[str, Any]) -> None:
    facts.log = Log(f"/aws/sagemaker/Endpoints/{_name(facts, members['Arn'])}")


def _condition(facts: StepFacts, members: Mapping[str, Any], _step: Mapping[str, Any]) -> None:
    facts.outputs.append(("outcome", str(members.get("Outcome", ""))))


def _failed(facts: StepFacts, members: Mapping[str, Any], _step: Mapping[str, Any]) -> None:
    facts.reason = str(members.get("ErrorMessage") or facts.reason)


KINDS: dict[str, Callable[[StepFacts, Mapping[str, Any], Mapping[str, Any]], None]] = {
    "TrainingJob": _training,
    "ProcessingJob": _processing,
    "TransformJob": _transform,
    "TuningJob": _tuning,
    "QualityCheck": _check,
    "ClarifyCheck": _check,
    "Model": _model,
    "RegisterModel": _registered,
    "Lambda": _function,
    "Callback": _callback,
    "Endpoint": _endpoint,
    "Condition": _condition,
    "Fail": _failed,
}
"""What reads the facts for each member of a step's metadata; what else there is, is listed as it is."""


def _name(facts: StepFacts, arn: str) -> str:
    """The last part of an ARN, which is noted."""
    facts.arn = str(arn)
    return facts.arn.rpartition("/")[2]


def _source(one: Mapping[str, Any]) -> str:
    """Where an input comes from: an address in S3, or what kind of source it is."""
    if "S3Input" in one:
        return str(one["S3Input"].get("S3Uri", ""))
    source = one.get("DataSource") or one.get("DatasetDefinition") or {}
    return str(source.get("S3DataSource", {}).get("S3Uri", "") or ", ".join(source))


def _image(specification: Mapping[str, Any], member: str) -> Pairs:
    return [("image", str(specification[member]))] if specification.get(member) else []


def _machine(resources: Mapping[str, Any]) -> Pairs:
    kind, count = resources.get("InstanceType"), resources.get("InstanceCount", 1)
    return [("instances", f"{count} of {kind}")] if kind else []


def _outputs(members: Mapping[str, Any]) -> Pairs:
    return [(one["Name"], str(one.get("Value", ""))) for one in members.get("OutputParameters", [])]

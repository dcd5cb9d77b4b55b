"""Collect the facts of an execution: API calls only, so it works wherever the pipeline ran."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from localcloud.contract.definition import Json, steps
from pipelines.registry import described
from pipelines.runs import results, training_log
from pipelines.runs.executions import RUNNING, describe, execution_id, list_steps
from pipelines.runs.follow import is_cached
from pipelines.runs.live_history import deployments
from pipelines.runs.versions import Versions
from project import aws, s3
from project.errors import DataError, SconesError
from project.s3 import split
from scones.reports.execution_graph import graph_steps
from scones.reports.facts import PAIRS, PICTURES, SAMPLED_CLASSES, SAMPLES, Facts, GateFact, Scoring, StepFact

T = TypeVar("T")
SIGNS = {"GreaterThanOrEqualTo": ">=", "LessThanOrEqualTo": "<="}
MANIFESTS = "BuildManifests"
SUBSETS = ("train", "validation", "test")


def collect(arn: str, confidence_threshold: float) -> Facts:
    """The facts of an execution, however far it got.

    Raises:
        CloudError: the execution itself cannot be described. What is missing beyond that is listed in the facts.
    """
    description, listed = describe(arn), list_steps(arn)
    facts = Facts(
        arn=arn,
        name=str(description.get("PipelineExecutionDisplayName") or execution_id(arn)),
        status=str(description["PipelineExecutionStatus"]),
        reason=str(description.get("FailureReason", "")),
        started=description["CreationTime"],
        ended=description["LastModifiedTime"],
        confidence_threshold=confidence_threshold,
        steps=[_step_fact(step) for step in listed],
    )
    definition = _or_missing(facts, "The definition and the parameters", lambda: _definition(arn)) or {}
    facts.parameters = definition.pop("Values", {})
    facts.graph = graph_steps(definition, listed, facts.status in RUNNING)
    facts.extract = _document(facts, "What was extracted", "ExtractCifar", "report", "extract.json")
    facts.manifests = _document(facts, "How the data were split", MANIFESTS, "report", "manifests.json")
    facts.checks = _document(facts, "The data checks", MANIFESTS, "checks", "validation.json")
    facts.evaluation = _document(facts, "The evaluation", "Evaluate", "evaluation", "evaluation.json")
    facts.gates = list(_gates(definition, facts.parameters, facts.evaluation or {}))
    _add_training(facts)
    _add_scoring(facts)
    facts.samples = _or_missing(facts, "Sample pictures of each class", lambda: _samples(facts)) or {}
    _add_pictures(facts)
    _add_package(facts)
    _or_missing(facts, "Other versions", lambda: _add_versions(facts))
    return facts


def _or_missing(facts: Facts, what: str, get: Callable[[], T]) -> T | None:
    """What `get` finds, or None with a line in the report that says why there is nothing."""
    try:
        return get()
    except SconesError as error:
        problem = error.problem.rstrip(".")
        facts.missing.append(f"{what}: {problem}.")
        return None


def _step_fact(step: Mapping[str, Any]) -> StepFact:
    metadata: Any = next(iter(step.get("Metadata", {}).values()), {})
    hit = step.get("CacheHitResult", {}).get("SourcePipelineExecutionArn", "")
    return StepFact(
        name=str(step["StepName"]),
        status="Cached" if is_cached(dict(step)) else str(step["StepStatus"]),
        started=step.get("StartTime"),
        ended=step.get("EndTime"),
        source=execution_id(hit) if hit else "",
        job=str(metadata.get("Arn", "")) if isinstance(metadata, Mapping) else "",
        reason=str(metadata.get("ErrorMessage") or step.get("FailureReason", "")),
    )


def _definition(arn: str) -> Json:
    """The definition that the execution ran; its parameters' values are added as `Values`."""
    client = aws.client("sagemaker")
    with aws.explained(f"reading the definition of execution {execution_id(arn)}"):
        text = client.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)["PipelineDefinition"]
        pages = client.get_paginator("list_pipeline_parameters_for_execution").paginate(PipelineExecutionArn=arn)
        given = {p["Name"]: p["Value"] for page in pages for p in page["PipelineParameters"]}
    definition: Json = json.loads(text)
    defaults = {p["Name"]: p.get("DefaultValue") for p in definition.get("Parameters", [])}
    return definition | {"Values": defaults | given}


def _document(facts: Facts, what: str, step: str, output: str, file: str) -> dict[str, Any] | None:
    return _or_missing(facts, what, lambda: _json(f"{results.output_uri(facts.arn, step, output)}/{file}"))


def _json(uri: str) -> dict[str, Any]:
    try:
        document = json.loads(_bytes(uri))
    except ValueError:
        raise DataError(f"{uri} is not JSON.") from None
    if not isinstance(document, dict):
        raise DataError(f"{uri} is not a JSON object.")
    return document


def _bytes(uri: str) -> bytes:
    bucket, key = split(uri)
    with aws.explained(f"reading {uri}"):
        try:
            content: bytes = aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                raise DataError(f"{uri} is not there.") from None
            raise
    return content


def _gates(definition: Json, parameters: Mapping[str, Any], evaluation: Json) -> list[GateFact]:
    """Every comparison of a metric with a parameter, in the definition's condition steps."""
    found = []
    for step in steps(definition):
        for condition in step.arguments["Conditions"] if step.type == "Condition" else []:
            path = (condition.get("LeftValue") or {}).get("Std:JsonGet", {}).get("Path")
            name = str((condition.get("RightValue") or {}).get("Get", "")).removeprefix("Parameters.")
            if path and name in parameters and condition["Type"] in SIGNS:
                value = _number_at(evaluation, path)
                found.append(GateFact(path, SIGNS[condition["Type"]], float(parameters[name]), name, value))
    return found


def gates_of(arn: str) -> list[GateFact]:
    """What the gate asked of an execution's model, and what was measured.

    Raises:
        CloudError, DataError: the execution, its definition or its evaluation cannot be read.
    """
    definition = _definition(arn)
    evaluation = _json(f"{results.output_uri(arn, 'Evaluate', 'evaluation')}/evaluation.json")
    return list(_gates(definition, definition["Values"], evaluation))


def _number_at(document: Any, path: str) -> float | None:
    for part in path.split("."):
        document = document.get(part) if isinstance(document, dict) else None
    return float(document) if isinstance(document, (int, float)) else None


def _add_training(facts: Facts) -> None:
    job = next((step.job for step in facts.steps if step.name == "Train" and step.job), "")
    if not job:
        facts.missing.append("The training curves: the execution has no training job.")
        return
    name = job.rsplit("/", 1)[-1]
    facts.training = _or_missing(facts, "The training job", lambda: _training(name))
    facts.epochs = _or_missing(facts, "The training curves", lambda: training_log.epochs(name)) or []
    uri = (facts.training or {}).get("ModelArtifacts", {}).get("S3ModelArtifacts")
    if uri:
        facts.model_bytes = _or_missing(facts, "The size of the model", lambda: _size(uri))


def _training(name: str) -> dict[str, Any]:
    with aws.explained(f"describing training job {name}"):
        answer: dict[str, Any] = aws.client("sagemaker").describe_training_job(TrainingJobName=name)
    return answer


def _size(uri: str) -> int:
    found = s3.head(uri)
    if found is None:
        raise DataError(f"{uri} is not there.")
    return int(found["ContentLength"])


def _add_scoring(facts: Facts) -> None:
    """How long batch transform took; nothing of an execution that took the scores from the cache."""
    jobs = [step.job for step in facts.steps if ":transform-job/" in step.job and step.status == "Succeeded"]
    if jobs and facts.evaluation is not None:
        name, pictures = jobs[0].rsplit("/", 1)[-1], int(facts.evaluation["images"])
        facts.scoring = _or_missing(facts, "The transform job", lambda: _scoring(name, pictures))


def _scoring(name: str, pictures: int) -> Scoring:
    with aws.explained(f"describing transform job {name}"):
        job = aws.client("sagemaker").describe_transform_job(TransformJobName=name)
    if "TransformStartTime" not in job or "TransformEndTime" not in job:
        raise DataError(f"{name} has no start or no end.")
    took = (job["TransformEndTime"] - job["TransformStartTime"]).total_seconds()
    return Scoring(pictures, took, str(job["TransformResources"]["InstanceType"]))


def _samples(facts: Facts) -> dict[str, list[str]]:
    """Names of test pictures of each class, spread over the list of them."""
    if facts.evaluation is None:
        return {}
    text = _bytes(f"{results.output_uri(facts.arn, MANIFESTS, 'test_lst')}/test.lst").decode()
    of_class: dict[int, list[str]] = {}
    for line in text.splitlines():
        _, label, path = line.split("\t")
        of_class.setdefault(int(label), []).append(path)
    named = list(enumerate(facts.evaluation["classes"]))[:SAMPLED_CLASSES]
    return {name: _spread(of_class.get(number, [])) for number, name in named}


def _spread(names: list[str]) -> list[str]:
    """SAMPLES of the names at most, at equal distances."""
    chosen = (names[index * len(names) // SAMPLES] for index in range(SAMPLES)) if names else ()
    return list(dict.fromkeys(chosen))


def _add_pictures(facts: Facts) -> None:
    """The pictures of the worst mistakes, of the least certain answers, and of near-duplicates."""
    if facts.evaluation is None:
        return
    listed = [a for kind in ("worst_mistakes", "least_certain") for a in facts.evaluation.get(kind, [])[:PICTURES]]
    pairs = ((facts.evaluation.get("near_duplicates") or {}).get("pairs") or [])[:PAIRS]
    shown = [name for names in facts.samples.values() for name in names]
    test = dict.fromkeys([*(one["image"] for one in [*listed, *pairs]), *shown])
    seen = dict.fromkeys(pair["training_image"] for pair in pairs)
    folders = _or_missing(
        facts, "The pictures", lambda: {n: results.output_uri(facts.arn, MANIFESTS, n) for n in SUBSETS if test or seen}
    )
    if folders:
        found = {name: _picture(name, [folders["test"]]) for name in test}
        found |= {name: _picture(name, [folders["train"], folders["validation"]]) for name in seen}
        facts.pictures = {name: content for name, content in found.items() if content}
        lacking = sorted(set(found) - set(facts.pictures))
        if lacking:
            facts.missing.append(f"{len(lacking)} of {len(found)} pictures, such as {lacking[0]}: not in S3 any more.")


def _picture(name: str, folders: list[str]) -> bytes | None:
    """The file of that name in the first folder that has it; None if none has."""
    for folder in folders:
        with suppress(DataError):  # not in this one
            return _bytes(f"{folder}/{name}")
    return None


def _add_versions(facts: Facts) -> None:
    """The registry's versions, which of them answers, and the one to compare with."""
    names = aws.names()
    answered = [one.version for one in deployments(names.live_parameter)]
    group = (facts.package or {}).get("ModelPackageGroupName") or names.settings.model_package_group
    facts.versions, facts.live = Versions(group).all(), answered[-1] if answered else None
    before = [number for number in answered if number not in {None, facts.version}]
    rival = facts.live if facts.live != facts.version else before[-1] if before else None
    facts.rival = next((one for one in facts.versions if one.version.number == rival), None)


def _add_package(facts: Facts) -> None:
    arn = next((step.job for step in facts.steps if ":model-package/" in step.job), "")
    if arn:
        facts.package = _or_missing(facts, "The model package", lambda: described(arn))

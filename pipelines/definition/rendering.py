"""The pipeline's definition, rendered to the JSON that SageMaker takes.

    ExtractCifar ─► BuildManifests ─► Train ─► CreateModel ─► ScoreTestSet ─► Evaluate ─► CheckQuality
                                                                                  RegisterModel ◄─┴─► QualityTooLow
                                                                                        │
    RemoveStaging ◄── TestStaging ◄── StagingEndpoint ◄── StagingConfig ◄── CheckStaging ◄─┘

Rendering needs no network, no credentials and no region from the environment, and gives the same bytes for the same
settings and job code: step caching and `scones diff` depend on it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pipelines.definition import sdk
from project.names import Names
from project.settings import Settings

if TYPE_CHECKING:
    from pipelines.definition.context import Context


PROCESSING_JOBS = ("extract", "manifests", "evaluate")


def jobs(settings: Settings) -> tuple[str, ...]:
    """The jobs that run our own code; the built-in algorithm brings its own for the training."""
    return (*PROCESSING_JOBS, "train") if settings.algorithm == "pytorch" else PROCESSING_JOBS


def render(names: Names, code: Mapping[str, str]) -> dict[str, Any]:
    """The definition as JSON values. `code` maps each of `jobs` to the S3 folder of its bundle."""
    with sdk.tamed(names.settings.region), TemporaryDirectory() as scratch:
        from sagemaker.mlops.workflow.pipeline import Pipeline

        from pipelines.definition import parameters
        from pipelines.definition.context import Context

        session = sdk.offline_session(names)
        context = Context(names, parameters.build(names), session, code, Path(scratch))
        pipeline = Pipeline(
            name=names.settings.pipeline_name,
            parameters=context.parameters.declared(),
            steps=_steps(context),
            sagemaker_session=session,
            pipeline_experiment_config=None,
        )
        definition: dict[str, Any] = json.loads(pipeline.definition())
    return definition


def to_json(definition: dict[str, Any]) -> str:
    """The text that is sent and compared: compact, keys in the order in which they were made."""
    return json.dumps(definition, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _steps(context: Context) -> list[Any]:
    from pipelines.definition.data_steps import extract_step, manifests_step
    from pipelines.definition.gate_steps import gate_step, register_step
    from pipelines.definition.scoring_steps import create_model_step, evaluate_step, score_step
    from pipelines.definition.staging_steps import staging_step
    from pipelines.definition.train_step import train_step

    extract = extract_step(context)
    manifests = manifests_step(context, extract)
    train = train_step(context, extract, manifests)
    model = create_model_step(context, train)
    score = score_step(context, model, manifests)
    evaluate = evaluate_step(context, score, manifests)
    register = register_step(context, evaluate, train)
    gate = gate_step(context, evaluate, register)
    staging = staging_step(context, model, register, score, manifests)
    return [extract, manifests, train, model, score, evaluate, gate, staging]

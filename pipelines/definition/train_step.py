"""Train: AWS's built-in algorithm or our own PyTorch script, over the same channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sagemaker.core.training.configs import (
    Compute,
    InputData,
    MetricDefinition,
    OutputDataConfig,
    StoppingCondition,
)
from sagemaker.core.workflow.functions import JsonGet
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep
from sagemaker.train.model_trainer import ModelTrainer

from pipelines.definition import builtin_algorithm, images
from pipelines.definition.context import Context, job_retries, output_of
from pipelines.definition.data_steps import MANIFEST_REPORT, other_pictures
from project.errors import UsageError
from project.settings import Settings
from steps.train import hyperparameters

INPUT = "/opt/ml/input"


def train_step(context: Context, extract: ProcessingStep, manifests: ProcessingStep) -> TrainingStep:
    """The training step of the algorithm that the settings choose."""
    if context.names.settings.algorithm == "builtin":
        return _builtin(context, manifests)
    return _pytorch(context, extract, manifests)


def _builtin(context: Context, manifests: ProcessingStep) -> TrainingStep:
    """AWS's image-classification algorithm: it publishes its own metrics and refuses definitions of others'."""
    settings, parameters = context.names.settings, context.parameters
    samples = JsonGet(step_name=manifests.name, property_file=MANIFEST_REPORT, json_path="num_training_samples")
    shape = builtin_algorithm.image_shape(settings)
    hyperparameters = {
        **{name: str(value) for name, value in settings.builtin.model_dump().items()},
        "image_shape": shape,
        "num_classes": str(len(settings.classes)),
        "num_training_samples": samples.to_string(),
        "epochs": parameters.epochs.to_string(),
        "lr_scheduler_step": parameters.learning_rate_steps,
        "resize": str(builtin_algorithm.resized(shape)),
    }
    channels = _channels(manifests, "_with_margin")
    trainer = _trainer(context, images.image_classification(settings.region), hyperparameters, channels)
    return TrainingStep(step_args=trainer.train(), **_step_options(context))


def _pytorch(context: Context, extract: ProcessingStep, manifests: ProcessingStep) -> TrainingStep:
    """`steps/train.py` in the PyTorch container, its code in a channel of its own."""
    settings = context.names.settings
    own = {name: str(value) for name, value in pytorch_hyperparameters(settings).items()}
    request = {**own, "epochs": context.parameters.epochs.to_string(), "seed": str(settings.seed)}
    code = InputData(channel_name="code", data_source=context.code["train"])
    image = images.pytorch(settings.region, "training", settings.instances.training)
    channels = [*_channels(manifests), code]
    if other_pictures(settings):
        source = output_of(extract, "others")
        channels.append(InputData(channel_name="others", data_source=source, content_type="application/octet-stream"))
    trainer = _trainer(context, image, request, channels).with_metric_definitions(
        [
            MetricDefinition(name="train:accuracy", regex=r"Epoch\[\d+\] Train-accuracy=([0-9.]+)"),
            MetricDefinition(name="validation:accuracy", regex=r"Epoch\[\d+\] Validation-accuracy=([0-9.]+)"),
        ]
    )
    arguments = [
        "train",
        *("--train", f"{INPUT}/data/train"),
        *("--validation", f"{INPUT}/data/validation"),
        *("--train-lst", f"{INPUT}/data/train_lst"),
        *("--validation-lst", f"{INPUT}/data/validation_lst"),
        *("--hyperparameters", f"{INPUT}/config/hyperparameters.json"),
        *("--model-dir", "/opt/ml/model"),
        *("--output-data-dir", "/opt/ml/output/data"),
        *("--classes", ",".join(settings.classes)),
        *("--image-size", str(settings.image_size)),
        *(("--others", f"{INPUT}/data/others") if other_pictures(settings) else ()),
    ]
    command = {
        "ContainerEntrypoint": ["python3", f"{INPUT}/data/code/run.py"],
        "ContainerArguments": arguments,
    }
    return CommandTrainingStep(command, step_args=trainer.train(), **_step_options(context))


def pytorch_hyperparameters(settings: Settings) -> dict[str, int | float]:
    """What the settings, their recipe first, change of our own training's hyperparameters.

    Raises:
        UsageError: an unknown one, a value out of range, or one that is set elsewhere.
    """
    elsewhere = sorted({"epochs", "seed"} & settings.pytorch.keys())
    if elsewhere:
        raise UsageError(f"scones.toml: [pytorch] sets {', '.join(elsewhere)}.", "Set it above all sections.")
    chosen = {**hyperparameters.RECIPES[settings.recipe], **settings.pytorch}
    hyperparameters.parse(chosen)
    return chosen


class CommandTrainingStep(TrainingStep):  # type: ignore[misc] # the SDK ships no types
    """A training step that starts its container with a command of ours.

    ModelTrainer sets ContainerEntrypoint only together with its own SourceCode, whose uploads go to a folder named
    after the time: every render would differ, and no training would ever come from the cache.
    """

    def __init__(self, command: Mapping[str, list[str]], **options: Any) -> None:
        super().__init__(**options)
        self._command = command

    @property
    def arguments(self) -> dict[str, Any]:
        """CreateTrainingJob's request with the command in its AlgorithmSpecification."""
        request: dict[str, Any] = super().arguments
        request["AlgorithmSpecification"] |= self._command
        return request


def _trainer(context: Context, image: str, hyperparameters: dict[str, Any], channels: list[InputData]) -> ModelTrainer:
    return ModelTrainer(
        training_image=image,
        role=context.names.pipeline_role,
        sagemaker_session=context.session,
        base_job_name="train",
        compute=Compute(
            instance_type=context.parameters.training_instance_type, instance_count=1, volume_size_in_gb=30
        ),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=4 * 3600),
        output_data_config=OutputDataConfig(s3_output_path=context.names.uri("models")),
        hyperparameters=hyperparameters,
        input_data_config=channels,
    )


def _channels(manifests: ProcessingStep, kind: str = "") -> list[InputData]:
    """The four channels; `kind` is the end of the name of those outputs that hold the pictures."""
    sources = {"train": f"train{kind}", "validation": f"validation{kind}"}
    sources |= {listing: listing for listing in ("train_lst", "validation_lst")}
    return [
        InputData(channel_name=name, data_source=output_of(manifests, output), content_type="application/x-image")
        for name, output in sources.items()
    ]


def _step_options(context: Context) -> dict[str, Any]:
    return {
        "name": "Train",
        "display_name": "Train-classifier",
        "description": "Trains the classifier and keeps the epoch that does best on the validation set.",
        "cache_config": context.cache,
        "retry_policies": job_retries(),
    }

"""The groups of settings in `scones.toml`, a table each; what stands below a key goes into docs/reference.md."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, model_validator

from project.setting_errors import matching

Fraction = Annotated[float, Field(ge=0.0, le=1.0, strict=True)]
Whole = Annotated[int, Strict()]
InstanceType = Annotated[
    str,
    AfterValidator(
        matching(r"ml\.[a-z][a-z0-9-]*\.[a-z0-9]+", "it must be an instance type of SageMaker such as ml.m5.large")
    ),
]


class Section(BaseModel):
    """A frozen group of settings that refuses keys it does not know, and NaN and infinity, which bound nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Instances(Section):
    """Instance types per kind of job, as `ml.*` names."""

    processing: InstanceType = "ml.m5.large"
    """Instance type of the steps that extract, write manifests and evaluate."""
    training: InstanceType = "ml.g4dn.xlarge"
    """Of the training."""
    transform: InstanceType = "ml.m5.large"
    """Of the step that scores the test set."""
    transform_count: Annotated[Whole, Field(ge=1, le=100)] = 1
    """How many instances score the test set."""
    endpoint: InstanceType = "ml.m5.large"
    """Of the endpoint."""


class BuiltinHyperparameters(Section):
    """Hyperparameters of AWS's image-classification algorithm that are not pipeline parameters.

    The container's own defaults are for photographs (152 layers, 224 pixels) and leave out augmentation and the
    learning-rate schedule. These are for 32-pixel pictures, which are cropped at random to 28
    (`pipelines.definition.builtin_algorithm`).
    """

    num_layers: Literal[20, 32, 44, 56, 110] = 20
    """Layers of the network; these numbers are those for pictures of at most 32 pixels."""
    image_shape: Annotated[
        str,
        AfterValidator(
            matching(r"[13],[1-9][0-9]{0,3},[1-9][0-9]{0,3}", "it must be channels (1 or 3), height, width: 3,28,28")
        ),
    ] = "3,28,28"
    """Channels, height and width that pictures are cropped to."""
    mini_batch_size: Annotated[Whole, Field(ge=1)] = 32
    """Pictures of a step of the training."""
    optimizer: Literal["sgd", "adam", "rmsprop", "nag"] = "sgd"
    """How weights follow gradients."""
    learning_rate: Fraction = 0.1
    """Of the beginning."""
    lr_scheduler_factor: Fraction = 0.1
    """What the learning rate is multiplied with at each of LearningRateSteps."""
    momentum: Fraction = 0.9
    """Of `sgd` and `nag`."""
    weight_decay: Fraction = 0.0005
    """How strongly weights are pulled to 0."""
    augmentation_type: Literal["crop", "crop_color", "crop_color_transform"] = "crop_color"
    """How pictures are varied: cropped, in other colours as well, turned and sheared as well."""


class Serving(Section):
    """The endpoint and who hears about it."""

    instance_count: Annotated[Whole, Field(ge=1, le=100)] = 1
    """Instances that the endpoint begins with."""
    max_instances: Annotated[Whole, Field(ge=0, le=100)] = 0
    """Up to how many it follows its traffic; 0: it does not."""
    target_invocations: Annotated[Whole, Field(ge=1)] = 6000
    """Calls of an instance in a minute that this aims at (docs/scale.md)."""
    scale_in_seconds: Annotated[Whole, Field(ge=0, le=86400)] = 300
    """Pause after an instance was taken away, in seconds."""
    capture_percentage: Annotated[Whole, Field(ge=0, le=100)] = 100
    """Share of requests and answers that is kept for the monitor and the desk, in percent."""
    staging: Literal["instance", "serverless", "off"] = "instance"
    """Where a registered model is tried out before anybody decides on it; `off`: nowhere."""
    bake_seconds: Annotated[Whole, Field(ge=0, le=3600)] = 120
    """How long an update is watched before the old instances go, in seconds."""
    alert_email: Annotated[str, AfterValidator(matching(r"|[^\s@]+@[^\s@]+", "it must be an e-mail address"))] = ""
    """Who gets alerts by mail; SNS asks them first. Empty: nobody."""

    @model_validator(mode="after")
    def _grows(self) -> Serving:
        if 0 < self.max_instances < self.instance_count:
            raise ValueError("max_instances is below instance_count")
        return self


class Batch(Section):
    """How a prefix of pictures is worked through."""

    size: Annotated[Whole, Field(ge=1, le=500)] = 25
    """Pictures of a batch of `scones batch`; a large run has fewer, larger ones."""
    concurrency: Annotated[Whole, Field(ge=1, le=10_000)] | None = None
    """Batches at a time; without it 4 for each instance that the endpoint has or may grow to."""


class Gate(Section):
    """A bound on one metric of evaluation.json, beside accuracy_threshold: `at_least` or `at_most`, not both.

    `metric` is a name among its flat `metrics`, or a path with dots such as `per_class.bicycle.recall`.
    """

    metric: Annotated[
        str,
        AfterValidator(
            matching(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*", "it must be a name, or names with dots")
        ),
    ]
    """A number of evaluation.json: a name among its `metrics`, or a path such as `per_class.bicycle.recall`."""
    at_least: Annotated[float, Field(strict=True)] | None = None
    """The least that it may be; this or `at_most`."""
    at_most: Annotated[float, Field(strict=True)] | None = None
    """The most that it may be; this or `at_least`."""

    @model_validator(mode="after")
    def _one_bound(self) -> Gate:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give either at_least or at_most")
        return self

    @property
    def parameter(self) -> str:
        """The pipeline parameter that an operator turns: MinimumAuc, MaximumExpectedCalibrationError, …"""
        words = "".join(word[:1].upper() + word[1:] for word in re.split(r"[._]", self.metric))
        return ("Minimum" if self.at_most is None else "Maximum") + words


class Monitor(Section):
    """How the endpoint is watched."""

    scheduler: Literal["auto", "model-monitor", "eventbridge"] = "auto"
    """Who starts the monitor each hour; `auto`: Model Monitor if the account has it, else EventBridge."""
    minimum_records: Annotated[Whole, Field(ge=1)] = 30
    """With fewer requests in its hour a run says nothing about them."""
    retrain_on_drift: bool = False
    """Whether drift starts the pipeline; the new model still waits for a decision."""

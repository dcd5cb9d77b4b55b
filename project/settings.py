"""The one settings object: what an engineer decides in `scones.toml`.

What an operator turns from run to run (thresholds, epochs, instance types) is a pipeline parameter instead;
its default value stands here.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from botocore.loaders import create_loader
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    field_validator,
    model_validator,
)

from project.errors import UsageError
from project.setting_errors import hint, matching, shown, wrong

FILE_NAME = "scones.toml"
OUTPUTS = ".scones"
Fraction = Annotated[float, Field(ge=0.0, le=1.0, strict=True)]
Whole = Annotated[int, Strict()]
InstanceType = Annotated[
    str,
    AfterValidator(
        matching(r"ml\.[a-z][a-z0-9-]*\.[a-z0-9]+", "it must be an instance type of SageMaker such as ml.m5.large")
    ),
]
DEFAULT_REGION = "us-east-1"


class Section(BaseModel):
    """A frozen group of settings that refuses keys it does not know, and NaN and infinity, which bound nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Instances(Section):
    """Instance types per kind of job, as `ml.*` names."""

    processing: InstanceType = "ml.m5.large"
    training: InstanceType = "ml.g4dn.xlarge"
    transform: InstanceType = "ml.m5.large"
    transform_count: Annotated[Whole, Field(ge=1, le=100)] = 1
    endpoint: InstanceType = "ml.m5.large"


class BuiltinHyperparameters(Section):
    """Hyperparameters of AWS's image-classification algorithm that are not pipeline parameters.

    The container's own defaults are for photographs (152 layers, 224 pixels) and leave out augmentation and the
    learning-rate schedule. These are for 32-pixel pictures, which are cropped at random to 28
    (`pipelines.definition.builtin_algorithm`).
    """

    num_layers: Literal[20, 32, 44, 56, 110] = 20
    image_shape: Annotated[
        str,
        AfterValidator(
            matching(r"[13],[1-9][0-9]{0,3},[1-9][0-9]{0,3}", "it must be channels (1 or 3), height, width: 3,28,28")
        ),
    ] = "3,28,28"
    mini_batch_size: Annotated[Whole, Field(ge=1)] = 32
    optimizer: Literal["sgd", "adam", "rmsprop", "nag"] = "sgd"
    learning_rate: Fraction = 0.1
    lr_scheduler_factor: Fraction = 0.1
    momentum: Fraction = 0.9
    weight_decay: Fraction = 0.0005
    augmentation_type: Literal["crop", "crop_color", "crop_color_transform"] = "crop_color"


class Serving(Section):
    """The endpoint and who hears about it."""

    instance_count: Annotated[Whole, Field(ge=1, le=100)] = 1
    max_instances: Annotated[Whole, Field(ge=0, le=100)] = 0  # up to which they follow traffic; 0: they do not
    target_invocations: Annotated[Whole, Field(ge=1)] = 6000  # that an instance is to get in a minute: docs/scale.md
    scale_in_seconds: Annotated[Whole, Field(ge=0, le=86400)] = 300  # pause after one was taken away
    capture_percentage: Annotated[Whole, Field(ge=0, le=100)] = 100
    staging: Literal["instance", "serverless", "off"] = "instance"  # where a registered model is tried out
    bake_seconds: Annotated[Whole, Field(ge=0, le=3600)] = 120  # an update is watched for so long
    alert_email: Annotated[str, AfterValidator(matching(r"|[^\s@]+@[^\s@]+", "it must be an e-mail address"))] = ""

    @model_validator(mode="after")
    def _grows(self) -> Serving:
        if 0 < self.max_instances < self.instance_count:
            raise ValueError("max_instances is below instance_count")
        return self


class Batch(Section):
    """How a prefix of pictures is worked through."""

    size: Annotated[Whole, Field(ge=1, le=500)] = 25  # pictures of a batch; a large run has fewer, larger batches
    concurrency: Annotated[Whole, Field(ge=1, le=10_000)] | None = None  # batches at a time; 4 for each instance


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
    at_least: Annotated[float, Field(strict=True)] | None = None
    at_most: Annotated[float, Field(strict=True)] | None = None

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

    scheduler: Literal["auto", "model-monitor", "eventbridge"] = "auto"  # auto: Model Monitor if the account has it
    minimum_records: Annotated[Whole, Field(ge=1)] = 30  # with fewer in its window a run says nothing about them
    retrain_on_drift: bool = False  # start the pipeline again; the new model still waits for approval


class Settings(Section):
    """Everything that is decided once per project."""

    project: Annotated[
        str,
        AfterValidator(
            # in all: the stack's templates have no longer one, nor would the names that begin with it fit
            matching(
                r"(?=.{3,25}\Z)[a-z0-9](-?[a-z0-9]){2,}",
                "it must be 3 to 25 lower-case letters, digits and single hyphens",
            )
        ),
    ] = "scones-unlimited"
    region: str = DEFAULT_REGION
    classes: Annotated[tuple[str, ...], Field(min_length=2, max_length=100)] = ("bicycle", "motorcycle")
    routes: dict[str, str] = {"bicycle": "near", "motorcycle": "far"}
    algorithm: Literal["builtin", "pytorch"] = "pytorch"
    image_size: Literal[32, 64, 96] = 32  # pixels on each side of the pictures that the model sees
    validation_fraction: Annotated[float, Field(gt=0.0, lt=0.5, strict=True)] = 0.2
    seed: Annotated[Whole, Field(ge=0, lt=2**31)] = 7
    epochs: Annotated[Whole, Field(ge=1, le=1000)] | None = None
    recipe: Literal["standard", "thorough"] = "standard"  # of "pytorch": steps/train/hyperparameters.py
    accuracy_threshold: Fraction = 0.8
    gates: tuple[Gate, ...] = ()
    max_drop_from_live: Fraction | None = None
    confidence_threshold: Fraction = 0.93
    unfamiliarity_limit: Fraction = 0.95
    cache_expires_after: str = "P30D"
    instances: Instances = Instances()
    builtin: BuiltinHyperparameters = BuiltinHyperparameters()
    pytorch: dict[str, int | float] = {}  # hyperparameters that differ from steps/train/hyperparameters.py
    serving: Serving = Serving()
    batch: Batch = Batch()
    monitor: Monitor = Monitor()

    @field_validator("region")
    @classmethod
    def _is_a_region(cls, region: str) -> str:
        if region != DEFAULT_REGION and region not in (known := regions()):
            near = difflib.get_close_matches(region, known, n=1)
            raise ValueError("it is no region of AWS" + (f", did you mean {near[0]}?" if near else ""))
        return region

    @model_validator(mode="after")
    def _classes_are_distinct(self) -> Settings:
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("classes are named twice")
        return self

    @model_validator(mode="after")
    def _gates_are_distinct(self) -> Settings:
        names = [gate.parameter for gate in self.gates]
        if len(set(names)) != len(names):
            raise ValueError("two gates bound one metric on the same side")
        return self

    @property
    def training_epochs(self) -> int:
        """`epochs`, or what suits the algorithm: the recipe's own, and a schedule long enough for two steps down."""
        return self.epochs or {"builtin": 100, "pytorch": 64}[self.algorithm]

    @property
    def batch_concurrency(self) -> int:
        """`batch.concurrency`, or four batches for each instance that the endpoint has or may grow to."""
        return self.batch.concurrency or 4 * max(self.serving.instance_count, self.serving.max_instances)

    @property
    def pipeline_name(self) -> str:
        return self.project

    @property
    def model_package_group(self) -> str:
        return self.project


def regions() -> list[str]:
    """Every region that the installed botocore knows, of every partition."""
    known = create_loader().load_data("partitions")["partitions"]
    return [region for partition in known for region in partition["regions"] if not region.endswith("-global")]


def parse(values: dict[str, Any], source: str) -> Settings:
    """Check `values` and return the settings.

    Raises:
        UsageError: an unknown key (the nearest known one is suggested) or a value of the wrong type or range.
    """
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise UsageError(f"{source}: unknown key `{shown(key)[1:-1]}`.", hint(Settings, first["loc"])) from None
        if not key:
            raise UsageError(f"{source}: {wrong(first)}.") from None
        raise UsageError(f"{source}: `{shown(key)[1:-1]}` is {shown(first['input'])}: {wrong(first)}.") from None


def misfit(key: str, value: object) -> str:
    """Why the setting `key`, such as `instances.training`, could not be `value`; nothing if it could."""
    values: Any = value
    for part in reversed(path := tuple(key.split("."))):
        values = {part: values}
    try:
        Settings.model_validate(values)
    except ValidationError as error:
        return next((wrong(one) for one in error.errors() if one["loc"][: len(path)] == path), "")
    return ""


def find_file(start: Path | None = None) -> Path | None:
    """The settings file: `$SCONES_SETTINGS`, or the nearest `scones.toml` in `start` or above it."""
    named = os.environ.get("SCONES_SETTINGS")
    if named:
        return Path(named)
    folder = (start or Path.cwd()).resolve()
    return next((d / FILE_NAME for d in (folder, *folder.parents) if (d / FILE_NAME).is_file()), None)


def project_folder() -> Path:
    """Where the settings file lies, else the current folder."""
    file = find_file()
    return file.resolve().parent if file else Path.cwd()


def output_folder() -> Path:
    """Where reports and the demo's files go: `.scones` beside the settings file, else in the current folder."""
    return project_folder() / OUTPUTS


@cache
def load(path: Path | None = None) -> Settings:
    """Read the settings file, or the defaults when there is none.

    Raises:
        UsageError: the file named cannot be read, is not TOML, or holds a wrong key or value.
    """
    file = path or find_file()
    if file is None:
        return Settings()
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}.", "Check the path in SCONES_SETTINGS.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: not valid TOML: {error}.") from None
    except RecursionError:
        raise UsageError(f"{file}: nested too deeply.") from None
    return parse(values, str(file))

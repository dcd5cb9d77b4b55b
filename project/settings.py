"""The one settings object: what an engineer decides in `scones.toml`.

What an operator turns from run to run (thresholds, epochs, instance types) is a pipeline parameter instead;
its default value stands here. What stands below a key goes into docs/reference.md.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from botocore.loaders import create_loader
from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator

from project.errors import UsageError
from project.setting_errors import hint, matching, shown, wrong
from project.setting_groups import (
    Batch,
    BuiltinHyperparameters,
    Fraction,
    Gate,
    Instances,
    Monitor,
    Section,
    Serving,
    Whole,
)

FILE_NAME = "scones.toml"
OUTPUTS = ".scones"
DEFAULT_REGION = "us-east-1"


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
    """Name of the project: of its pipeline, model package group, endpoint and stack, and the bucket's beginning. 3 to
    25 lower-case letters, digits and single hyphens."""
    region: str = DEFAULT_REGION
    """AWS's region that everything is in."""
    classes: Annotated[tuple[str, ...], Field(min_length=2, max_length=100)] = ("bicycle", "motorcycle")
    """What the model tells apart: any of CIFAR-100's fine labels, or classes of your own pictures. Their order is that
    of the probabilities."""
    routes: dict[str, str] = Field(default={"bicycle": "near", "motorcycle": "far"})
    """The route that a delivery of each class takes; every class needs one."""
    algorithm: Literal["builtin", "pytorch"] = "pytorch"
    """This project's own training script (`pytorch`), or AWS's image-classification (`builtin`)."""
    image_size: Literal[32, 64, 96] = 32
    """Width and height, in pixels, of the pictures that the model learns from and is asked about."""
    validation_fraction: Annotated[float, Field(gt=0.0, lt=0.5, strict=True)] = 0.2
    """Share of the training pictures that is held out to calibrate by, and for `builtin` to choose the best epoch."""
    seed: Annotated[Whole, Field(ge=0, lt=2**31)] = 7
    """Of every random choice: split, training, search, sample."""
    epochs: Annotated[Whole, Field(ge=1, le=1000)] | None = None
    """How long a training lasts: the default of the parameter Epochs. Without it 64, or 100 for `builtin`."""
    recipe: Literal["standard", "thorough"] = "standard"
    """What `pytorch` trains; `thorough` has twice the networks and takes twice as long (docs/training.md)."""
    accuracy_threshold: Fraction = 0.8
    """Accuracy on the test set below which nothing is registered: the default of AccuracyThreshold."""
    gates: tuple[Gate, ...] = ()
    max_drop_from_live: Fraction | None = None
    """Nor is a model registered whose accuracy is lower than the live one's by more than this."""
    confidence_threshold: Fraction = 0.93
    """How sure the model must be of a picture to route it, until `scones threshold` changes it."""
    unfamiliarity_limit: Fraction = 0.95
    """A picture that is less like the training pictures than this share of them is not routed, until the SSM parameter
    `/<project>/inference/unfamiliarity` is changed."""
    cache_expires_after: str = "P30D"
    """How long a step's result is taken from an earlier execution: an ISO 8601 duration."""
    instances: Instances = Instances()
    builtin: BuiltinHyperparameters = BuiltinHyperparameters()
    pytorch: dict[str, int | float] = Field(default={})
    """Hyperparameters of the training script that differ from its own: the table below."""
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

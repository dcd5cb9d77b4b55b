"""Settings files and parameters that are wrong, and what is said to them."""

from __future__ import annotations

import copy
import random
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from mutations import mutated

from pipelines.checks.settings_checks import settings_agree
from pipelines.runs.given_parameters import check_parameters
from project import settings
from project.errors import UsageError
from project.setting_errors import shown

VALUES: dict[str, Any] = {
    "project": "my-project",
    "region": "eu-central-1",
    "classes": ["bicycle", "motorcycle"],
    "routes": {"bicycle": "near", "motorcycle": "far"},
    "algorithm": "builtin",
    "validation_fraction": 0.2,
    "seed": 7,
    "epochs": 60,
    "accuracy_threshold": 0.8,
    "gates": [{"metric": "auc", "at_least": 0.9}, {"metric": "per_class.bicycle.recall", "at_most": 1.0}],
    "max_drop_from_live": 0.01,
    "instances": {"processing": "ml.m5.large", "endpoint": "ml.m5.large", "transform_count": 1},
    "builtin": {"image_shape": "3,28,28", "momentum": 0.9},
    "pytorch": {"width": 64},
    "serving": {"alert_email": "a@example.com", "instance_count": 1, "max_instances": 2},
    "batch": {"size": 25},
    "monitor": {"scheduler": "auto", "retrain_on_drift": True},
}
DECLARED: list[dict[str, Any]] = [
    {"Name": "Epochs", "Type": "Integer", "DefaultValue": 30},
    {"Name": "TransformInstanceCount", "Type": "Integer", "DefaultValue": 1},
    {"Name": "AccuracyThreshold", "Type": "Float", "DefaultValue": 0.8},
    {"Name": "TrainingInstanceType", "Type": "String", "DefaultValue": "ml.m5.large"},
    {"Name": "InputArchiveUri", "Type": "String", "DefaultValue": "s3://bucket/key"},
    {"Name": "StartReason", "Type": "String", "DefaultValue": "by hand"},
]
TEXTS = (
    *("", "0", "-3", "1", "60", "1001", "60.0", "1e2", "1e999", "nan", "inf", "0x10", "1_0", " 1", "1\n", "٣", "80"),
    *("g4dn", "ml.g4dn.xlarge", "ml.", "s3://", "s3://b/k", "\x1b[2J", "\ud800", "9" * 5000, "x" * 100_000, "true"),
)
BOUNDS = {"Epochs": (1, 1000), "TransformInstanceCount": (1, 100), "AccuracyThreshold": (0, 1)}
LIBRARY = re.compile(r"pydantic|regex|pattern|Input should|validation error|Traceback|\\d|\^\[a-z", re.IGNORECASE)
LONGEST = 1500


def faults_of_settings(seed: int, count: int) -> Counter[str]:
    """What is said to `count` wrong files, if it is no refusal in words about settings."""
    draw, found = random.Random(seed), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scones.toml"
        for _ in range(count):
            if said := _of_text(file, draw) if draw.random() < 0.1 else _of_values(draw):
                found[said] += 1
    return found


def faults_of_parameters(seed: int, count: int) -> Counter[str]:
    """Likewise of `count` parameters; whatever passes is what the setting may be."""
    draw, found = random.Random(seed), Counter[str]()
    for _ in range(count):
        name = draw.choice([parameter["Name"] for parameter in DECLARED] + ["Epoch", "x" * 3000])
        text = draw.choice(TEXTS) if draw.random() < 0.7 else _noise(draw)
        try:
            check_parameters(DECLARED, {name: text})
        except UsageError as error:
            if said := _fault_of(str(error).replace(shown(text), "")):
                found[said] += 1
        except Exception as error:  # what a fuzzer is for
            found[f"{type(error).__name__}: {error}"[:200]] += 1
        else:
            found[f"{name}={text!r} passed"] += not _may_be(name, text)
    return +found


def _may_be(name: str, text: str) -> bool:
    if name in BOUNDS:
        low, high = BOUNDS[name]
        return text.isascii() and low <= float(text) <= high
    return text.isprintable()


def _of_values(draw: random.Random) -> str:
    values: Any = copy.deepcopy(VALUES)
    for _ in range(draw.choice((1, 1, 2))):
        values = mutated(values, draw)
    try:
        for problem in settings_agree(settings.parse(values, "scones.toml")):
            str(problem)
    except UsageError as error:
        return _fault_of(str(error))
    except Exception as error:  # what a fuzzer is for
        return f"{type(error).__name__}: {error}"[:200]
    return ""


def _of_text(file: Path, draw: random.Random) -> str:
    text = draw.choice(("[" * 50_000, "a = " + "[" * 5000, "epochs = 1e999", "\x00", "a." * 5000 + "b = 1", ""))
    content = text.encode() if draw.random() < 0.5 else _noise(draw).encode("utf-8", "surrogatepass")
    file.write_bytes(content)
    settings.load.cache_clear()
    try:
        settings.load(file)
    except UsageError as error:
        return _fault_of(str(error))
    except Exception as error:  # what a fuzzer is for
        return f"{type(error).__name__}: {error}"[:200]
    finally:
        settings.load.cache_clear()
    return ""


def _fault_of(said: str) -> str:
    if found := LIBRARY.search(said.replace("`", "")):
        return f"speaks of {found[0]!r}: {said}"[:300]
    return f"{len(said)} characters: {said[:100]}" if len(said) > LONGEST else ""


def _noise(draw: random.Random) -> str:
    return "".join(chr(draw.choice((draw.randrange(128), draw.randrange(0x3000)))) for _ in range(draw.randrange(30)))

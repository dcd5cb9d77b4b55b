"""The first two steps: pictures out of the archive, and the files that training reads."""

from __future__ import annotations

from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.steps import ProcessingStep

from pipelines.definition.builtin_algorithm import margin
from pipelines.definition.context import PROCESSING, Context, output_of, processing_step
from project.settings import Settings

MANIFEST_REPORT = PropertyFile(name="ManifestReport", output_name="report", path="manifests.json")


def extract_step(context: Context) -> ProcessingStep:
    """ExtractCifar: the pictures of the chosen classes, as PNG files with a table beside them."""
    options = [
        *("--archive", f"{PROCESSING}/input/archive"),
        *("--sha256", context.parameters.input_archive_sha256),
        *("--classes", ",".join(context.names.settings.classes)),
        *("--image-size", str(context.names.settings.image_size)),
        *("--reviewed", f"{PROCESSING}/input/reviewed"),
        *("--reviewed-address", context.parameters.reviewed_pictures),
    ]
    outputs = {"images": "images", "report": "report"}
    if others := other_pictures(context.names.settings):
        options += ["--others", str(others)]
        outputs["others"] = "others"
    return processing_step(
        context,
        "ExtractCifar",
        "extract",
        inputs={
            "archive": context.parameters.input_archive_uri,
            "reviewed": context.parameters.reviewed_pictures,
        },
        options=options,
        outputs=outputs,
        display_name="Extract-pictures",
        description="Takes the pictures of the chosen classes out of the archive, and reviewed deliveries with them.",
    )


def other_pictures(settings: Settings) -> int | float:
    """How many pictures of the archive's other classes the training is to have; only our own takes any."""
    return settings.pytorch.get("other_pictures", 0) if settings.algorithm == "pytorch" else 0


def manifests_step(context: Context, extract: ProcessingStep) -> ProcessingStep:
    """BuildManifests: train, validation and test folders with their .lst files, and the data checks."""
    settings = context.names.settings
    options = [
        *("--images", f"{PROCESSING}/input/images"),
        *("--validation-fraction", str(settings.validation_fraction)),
        *("--seed", str(settings.seed)),
        *("--classes", ",".join(settings.classes)),
        *("--image-size", str(settings.image_size)),
    ]
    outputs: dict[str, str] = {}
    for split in ("train", "validation", "test"):
        outputs |= {split: split, f"{split}_lst": f"lst/{split}"}
    if settings.algorithm == "builtin":
        options += ["--margin", str(margin(settings.image_size))]
        outputs |= {f"{split}_with_margin": f"margin/{split}" for split in ("train", "validation")}
    return processing_step(
        context,
        "BuildManifests",
        "manifests",
        inputs={"images": output_of(extract, "images")},
        options=options,
        outputs=outputs | {"checks": "checks", "report": "report"},
        display_name="Split-and-check-data",
        description="Splits off a validation set, writes the .lst files, and stops if the data break a rule.",
        property_files=[MANIFEST_REPORT],
        kept_of_failed=["checks"],
    )

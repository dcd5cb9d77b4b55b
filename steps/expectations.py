"""What every image and every subset must be, as Great Expectations suites: over images, class counts, own photographs.

Real CIFAR-100 is not perfect: it repeats a few pictures exactly. So one image in a hundred may be a repeat. A repeat
that would leak from one subset into another is never tolerated; the job leaves it out beforehand, and says so.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read on import by versions that report their use
os.environ["TQDM_DISABLE"] = "1"  # its progress bars would fill the job's log

import great_expectations as gx
from great_expectations import expectations as expect
from great_expectations.core.run_identifier import RunIdentifier

from project.files import write_json
from steps.subsets import LEFT_OUT, SUBSETS

REPEATS_TOLERATED = 0.01
LEAST_BALANCE = 0.5
POOR_TOLERATED = 0.05
LEAST_CONTRAST = 3.0
"""Standard deviation of grey levels, of 255: a lens cap, a wall, an empty frame has less."""

logging.getLogger("great_expectations").setLevel(logging.ERROR)


def image_suite(classes: Sequence[str], side: int) -> list[Any]:
    """Expectations of the image table: one row per extracted image, as measured from its file."""
    most = 1 - REPEATS_TOLERATED
    return [
        expect.ExpectColumnValuesToBeInSet(
            column="subset", value_set=[*SUBSETS, LEFT_OUT], description="every image belongs to a subset"
        ),
        expect.ExpectColumnPairValuesToBeInSet(
            column_A="label",
            column_B="class_name",
            value_pairs_set=list(enumerate(classes)),
            description="labels count from 0 in the order of the classes, and agree with the class names",
        ),
        expect.ExpectColumnDistinctValuesToEqualSet(
            column="class_name", value_set=list(classes), description="every class has images"
        ),
        expect.ExpectColumnValuesToBeInSet(
            column="width", value_set=[side], description=f"every image is {side} pixels wide"
        ),
        expect.ExpectColumnValuesToBeInSet(
            column="height", value_set=[side], description=f"every image is {side} pixels high"
        ),
        expect.ExpectColumnValuesToBeInSet(column="mode", value_set=["RGB"], description="every image is RGB"),
        expect.ExpectColumnPairValuesToBeEqual(
            column_A="pixels_sha256",
            column_B="extracted_sha256",
            description="every file holds the pixels that were extracted",
        ),
        expect.ExpectColumnValuesToBeUnique(column="path", description="every image is listed once"),
        expect.ExpectColumnValuesToBeInSet(
            column="subsets_with_these_pixels",
            value_set=[0, 1],
            description="no image is in two subsets",
        ),
        expect.ExpectCompoundColumnsToBeUnique(
            column_list=["subset", "pixels_sha256"],
            mostly=most,
            description="at most 1 in 100 images repeats another of its subset",
        ),
        expect.ExpectColumnValuesToNotBeInSet(
            column="subset",
            value_set=[LEFT_OUT],
            mostly=most,
            description="at most 1 in 100 images is left out as a repeat",
        ),
        expect.ExpectColumnValuesToBeBetween(
            column="contrast",
            min_value=LEAST_CONTRAST,
            mostly=1 - POOR_TOLERATED,
            description="at most 1 in 20 images is blank",
        ),
        expect.ExpectColumnValuesToBeBetween(
            column="source_side",  # empty for an archive's pictures
            min_value=side,
            mostly=1 - POOR_TOLERATED,
            description=f"at most 1 in 20 of one's own pictures is smaller than {side} pixels",
        ),
    ]


def photograph_suite() -> list[Any]:
    """Expectations of one's own pictures: one row per picture that was given."""
    return [
        expect.ExpectColumnValuesToBeNull(
            column="left_out",
            mostly=1 - POOR_TOLERATED,
            description="at most 1 in 20 of one's own pictures cannot be read",
        )
    ]


def count_suite(classes: Sequence[str]) -> list[Any]:
    """Expectations of the count table: one row per subset and class."""
    return [
        expect.ExpectTableRowCountToEqual(
            value=len(SUBSETS) * len(classes), description="every subset and class is counted"
        ),
        expect.ExpectColumnValuesToBeBetween(
            column="images", min_value=1, description="every class has images in every subset"
        ),
        expect.ExpectColumnValuesToBeBetween(
            column="share_of_largest",
            min_value=LEAST_BALANCE,
            description="in no subset is a class less than half as frequent as the most frequent one",
        ),
    ]


def validate(
    images: pd.DataFrame,
    counts: pd.DataFrame,
    classes: Sequence[str],
    folder: Path,
    side: int = 32,
    photographs: pd.DataFrame | None = None,
) -> list[str]:
    """Check the tables; write `validation.json` and the Data Docs (`docs/index.html`) below `folder`.

    Returns:
        the broken expectations, a sentence each; empty when all hold.
    """
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    tables = {
        "images": (images, image_suite(classes, side), ["path"]),
        "class_counts": (counts, count_suite(classes), ["subset", "class_name"]),
    }
    if photographs is not None:
        tables["photographs"] = (photographs, photograph_suite(), ["name"])
    context.add_data_docs_site(
        "docs",
        {
            "class_name": "SiteBuilder",
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder / "docs")},
        },
    )
    results: dict[str, Any] = {}
    broken: list[str] = []
    for name, (table, suite, named_by) in tables.items():
        result = _run(context, name, table, suite, named_by)
        results[name] = result.to_json_dict()
        broken += [_sentence(each, named_by) for each in result.results if not each.success]
    context.build_data_docs()
    report = {"success": not broken, "broken": broken, "tables": results}
    write_json(folder / "validation.json", report)
    return broken


def _run(context: Any, name: str, table: pd.DataFrame, expectations: list[Any], named_by: list[str]) -> Any:
    batch = context.data_sources.add_pandas(name).add_dataframe_asset(name).add_batch_definition_whole_dataframe("all")
    suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=expectations))
    definition = context.validation_definitions.add(gx.ValidationDefinition(name=name, data=batch, suite=suite))
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(
            name=name,
            validation_definitions=[definition],
            result_format={"result_format": "SUMMARY", "unexpected_index_column_names": named_by},
        )
    )
    run = checkpoint.run(batch_parameters={"dataframe": table}, run_id=RunIdentifier(run_name=name))
    return next(iter(run.run_results.values()))


def _sentence(result: Any, named_by: list[str]) -> str:
    """`every image is RGB (expect_column_values_to_be_in_set): 2 of 1000 are not, such as train/train-00007.png`."""
    config = result.expectation_config
    head = f"{config.description} ({config.type})"
    found = result.result
    if result.exception_info.get("raised_exception"):
        return f"{head}: could not be checked: {result.exception_info.get('exception_message')}"
    if "unexpected_count" not in found:
        return f"{head}: found {found.get('observed_value')}"
    first = (found.get("partial_unexpected_index_list") or [{}])[0]
    example = " ".join(str(first[column]) for column in named_by if column in first)
    such = f", such as {example}" if example else ""
    return f"{head}: {found['unexpected_count']} of {found['element_count']} are not{such}"

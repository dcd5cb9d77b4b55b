"""What the labels say so far: how far people are, how right the model is, how far people agree; a file of them."""

from __future__ import annotations

from functools import partial

import streamlit as st

from scones.desk.data import review
from scones.desk.data.agreement import Agreement, agreement, said
from scones.desk.data.label_export import as_csv, as_json, rows
from scones.desk.desk import OperationsDesk
from scones.desk.filters import Traffic
from scones.desk.wording import NONE, measured, plain, plural, share


def show_summary(desk: OperationsDesk, chosen: Traffic, labels: dict[str, int], limit: float) -> None:
    """Draw it."""
    given = desk.labels.given()
    if not given:
        bad = f" {plural(desk.labels.bad, 'label')} in S3 could not be read." if desk.labels.bad else ""
        st.caption(f"Live accuracy: no data, no record has a label yet.{bad}")
        return
    if len(chosen.records):
        _progress(chosen, labels, limit)
    _accuracy(chosen, labels)
    with st.container(horizontal=True, vertical_alignment="center", key="review-more"):
        found = agreement(said(given))
        st.markdown(_agreed(found), width="stretch")
        _export(desk, chosen)


def _progress(chosen: Traffic, labels: dict[str, int], limit: float) -> None:
    looked_at = review.labels_of(chosen.records, labels) != review.UNLABELLED
    below = chosen.records["confidence"] < limit
    done, of = int((looked_at & below).sum()), int(below.sum())
    every = f"{int(looked_at.sum()):,} of {plural(len(chosen.records), 'record')} labelled"
    words = f"{done:,} of {of:,} below the threshold labelled; {every} in all" if of else every
    st.progress(done / of if of else float(looked_at.mean()), words)


def _accuracy(chosen: Traffic, labels: dict[str, int]) -> None:
    found = review.live_accuracy(chosen.records, labels)
    if found is None:
        st.caption("Live accuracy: no data, no label is about a record of this choice.")
        return
    with st.container(horizontal=True, gap="medium", key="live-accuracy"):
        st.metric("Right, of labelled records", share(found.accuracy), width="content")
        st.metric("95 % interval", f"{share(found.low)} to {share(found.high)}", width="content")
        st.metric("Weighted to all traffic", share(found.weighted), width="content")
        st.metric("Labelled", f"{found.labelled:,}", width="content")
        st.metric("Neither", f"{found.neither:,}", width="content")
    st.caption(
        "Labels of the least certain records alone make the model look worse than it is: label at random for a fair "
        "number. Weighted: each tenth of confidence counts by its share of the traffic; it needs a label in each."
    )


def _agreed(found: Agreement | None) -> str:
    if found is None:
        return (
            "Agreement: no record has been labelled by two people yet. *Second look* shows what others have labelled."
        )
    each = measured(found.agreed / found.records, found.low, found.high, True)
    alpha = NONE if found.alpha is None else f"{found.alpha:.2f}"
    people = ", ".join(map(plain, found.reviewers))
    return (
        f"**Agreement**: {people} say the same of {each} of {plural(found.records, 'record')} that two or more have "
        f"labelled. Krippendorff's alpha {alpha}: 1 is full agreement, 0 what chance would give."
    )


def _export(desk: OperationsDesk, chosen: Traffic) -> None:
    with st.popover("Export", icon=":material/download:"):
        st.caption("Every answer with its reviewer, and what the model had said of the records of this choice.")
        for name, write, mime in (("CSV", as_csv, "text/csv"), ("JSON", as_json, "application/json")):
            found = partial(rows, desk.labels.given(), chosen.records, chosen.table.files, desk.classes)
            st.download_button(
                f"Labels as {name}",
                data=lambda write=write, found=found: write(found()),
                file_name=f"labels.{name.lower()}",
                mime=mime,
                key=f"export-{name}",
                on_click="ignore",
            )

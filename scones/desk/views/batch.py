"""Batch: a whole prefix of pictures through the workflow."""

from __future__ import annotations

import streamlit as st

from project.errors import SconesError
from scones.desk.data import batches
from scones.desk.data.batches import BatchRun
from scones.desk.desk import OperationsDesk
from scones.desk.refresh import fragment
from scones.desk.wording import READ_ONLY, age, now, plain, problem, told

EVERY_SECONDS = 3
SUMMARY_OLD_SECONDS = 3600
"""Of a batch that has ended: its summary does not change any more."""


def show(desk: OperationsDesk) -> None:
    """Draw the page."""
    st.title("Batch")
    _start(desk)
    st.subheader("Batches")

    @fragment(run_every=EVERY_SECONDS)
    def live() -> None:
        with told():
            found = desk.known(batches.runs)
            if not found:
                st.info("No data: no batch was started yet.", icon=":material/inbox:")
            for number, batch in enumerate(found):
                _run(desk, batch, number == 0)

    live()


def _start(desk: OperationsDesk) -> None:
    with st.form("start", border=True):
        prefix = st.text_input(
            "Prefix",
            key="prefix",
            disabled=not desk.allow_changes,
            placeholder="incoming/2026-11-20/ or s3://bucket/prefix",
            help=f"In the project's bucket {desk.names.bucket}, or s3://bucket/prefix.",
        )
        own = st.number_input(
            "Threshold for this batch",
            0.0,
            1.0,
            value=None,
            step=0.01,
            key="batch-threshold",
            disabled=not desk.allow_changes,
            placeholder="the one in SSM",
        )
        pressed = st.form_submit_button(
            "Start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=not desk.allow_changes,
            help=None if desk.allow_changes else READ_ONLY,
        )
        if not desk.allow_changes:
            st.caption(READ_ONLY)
    if pressed:
        try:
            execution = batches.start(prefix, own)
        except SconesError as error:
            problem(error)
        else:
            st.success(f"Started {execution.rpartition(':')[2]}.", icon=":material/check_circle:")


def _run(desk: OperationsDesk, batch: BatchRun, newest: bool) -> None:
    one = batch.execution
    marks = {"RUNNING": ":material/sync:", "SUCCEEDED": ":material/check_circle:"}
    heading = f"{plain(batch.source)}: {one.status.lower()}, started {age((now() - one.started).total_seconds())}"
    with st.expander(heading, expanded=newest, icon=marks.get(one.status, ":material/error:")):
        if batch.all_parts:
            st.progress((batch.parts or 0) / batch.all_parts, f"{batch.parts} of {batch.all_parts} parts")
        elif one.status == "RUNNING":
            st.progress(0.0, "Making the work list")
        if one.error:
            st.error(plain(f"{one.error}: {one.problem}"))
        if batch.counts:
            _counts(batch)
        st.caption(f"Execution {one.name}, {one.seconds:.1f} s")
        if one.status != "RUNNING" and (
            summary := desk.known.at_most_old(SUMMARY_OLD_SECONDS, batches.summary, one.name)
        ):
            st.download_button(
                "Download the summary",
                summary,
                file_name=f"batch-{one.name}.json",
                mime="application/json",
                icon=":material/download:",
                key=f"summary-{one.name}",
                on_click="ignore",
            )


def _counts(batch: BatchRun) -> None:
    labels = {
        "images": "Pictures",
        "routed": "Routed",
        "low_confidence": "Below the threshold",
        "unfamiliar": "Unfamiliar",
        "failed": "Failed",
        "not_processed": "Not processed",
    }
    with st.container(horizontal=True):
        for name, label in labels.items():
            if name in batch.counts:
                st.metric(label, f"{batch.counts[name]:,}", width="content")

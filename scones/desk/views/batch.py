"""Batch: a whole prefix of pictures through the workflow."""

from __future__ import annotations

import streamlit as st

from project.errors import SconesError
from scones.desk.data import batches
from scones.desk.data.batches import NOT_ROUTED, BatchRun
from scones.desk.desk import OperationsDesk, forget_answers
from scones.desk.pictures import shown_object
from scones.desk.refresh import fragment
from scones.desk.wording import READ_ONLY, age, now, plain, problem, told

EVERY_SECONDS = 3
SHOWN = 12
"""Pictures at a time."""
SMALL = 150
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
            placeholder="as for every delivery",
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
            forget_answers()
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
        if one.status == "RUNNING":
            return
        summary = desk.known.at_most_old(SUMMARY_OLD_SECONDS, batches.summary, one.name)
        if summary is None:
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            st.download_button(
                "Download the summary",
                summary,
                file_name=f"batch-{one.name}.json",
                mime="application/json",
                icon=":material/download:",
                key=f"summary-{one.name}",
                on_click="ignore",
            )
            wanted = st.toggle("Show what was not routed", key=f"not-routed-{one.name}")
        if wanted:
            _not_routed(batch, summary)


def _not_routed(batch: BatchRun, summary: bytes) -> None:
    found = {name: kept for name, kept in batches.not_routed(summary).items() if kept}
    if not found:
        st.success("Every picture was routed.", icon=":material/done_all:")
        return
    name = batch.execution.name
    which = st.segmented_control(
        "Why",
        list(found),
        default=next(iter(found)),
        format_func=lambda one: f"{NOT_ROUTED[one]} ({len(found[one]):,})",
        required=True,
        key=f"why-{name}",
    )
    kept = found[which or next(iter(found))]
    pages, number = -(-len(kept) // SHOWN), 1
    if pages > 1:
        number = int(st.number_input(f"Part of {pages}", 1, pages, key=f"part-{name}-{which}", width=160))
    bucket = batch.source.removeprefix("s3://").partition("/")[0]
    with st.container(horizontal=True, key=f"gallery-{name}"):
        for one in kept[(number - 1) * SHOWN : number * SHOWN]:
            with st.container(border=True, width=SMALL):
                shown_object(bucket, one.key, f"Picture of the batch: {one.why}")
                st.caption(f"{plain(one.key.rpartition('/')[2])}  \n{plain(one.why)}")


def _counts(batch: BatchRun) -> None:
    """How many were routed where, and how many were not, why."""
    with st.container(horizontal=True):
        for name, label in {"images": "Pictures", "routed": "Routed", **NOT_ROUTED}.items():
            if name in batch.counts:
                st.metric(label, f"{batch.counts[name]:,}", width="content")
            if name == "routed":
                for route, number in batch.counts.get("routes", {}).items():
                    st.metric(f"Routed {plain(route)}", f"{number:,}", width="content")

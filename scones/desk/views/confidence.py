"""Confidence: how sure the model has been, and what it saw when it was not. The charts are the monitor's report's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import streamlit as st
from plotly.graph_objects import Figure

from scones.desk.charts import show_chart
from scones.desk.data import confidence, runs, serving
from scones.desk.data.records import Records, Table
from scones.desk.desk import OperationsDesk
from scones.desk.filters import Traffic, marks, threshold, traffic
from scones.desk.pictures import record_card
from scones.desk.refresh import fragment
from scones.desk.wording import clock, plain, plural, share, told
from scones.reports.charts import traffic as charts
from scones.reports.charts.layout import Mark
from scones.reports.charts.traffic import LatencyLine

LEAST_POINTS = 3
"""Of a latency curve; fewer are told as numbers."""
PASSING, BELOW = (name for name, *_ in charts.PARTS)


def show(desk: OperationsDesk) -> None:
    """Draw the page."""
    st.title("Confidence")
    with told():
        chosen = traffic(desk, "confidence")
        setting = threshold(desk)
        if setting and len(chosen.records):
            _charts(desk, chosen, setting.value, marks(desk, chosen.deployed))


def _charts(desk: OperationsDesk, chosen: Traffic, limit: float, changed: list[Mark]) -> None:
    records = chosen.records
    history = confidence.history(records, desk.classes, limit)
    below = share(history.low_share())
    st.markdown(f"**{below}** of {plural(len(records), 'record')} are below the threshold of **{limit:g}**.")
    _records(desk, chosen.table.files, records[confidence.sample(records, limit)], len(records), limit, changed)
    left, right = st.columns(2, gap="medium")
    with left:
        _chart(
            "Over time",
            charts.confidence_over_time(history, changed),
            "Confidence over time, above and below the threshold",
        )
        with told():
            mix = charts.class_mix(history, desk.known(runs.baseline_mix, chosen.version), changed)
            _chart("Class mix", mix, "Share of each predicted class over time")
    with right:
        _chart("Distribution", charts.confidence_histogram(history), "Number of records by confidence")
        _chart(
            "Routed and held back",
            charts.above_and_below(history, changed),
            "Records above and below the threshold over time",
        )
    _by_class(desk, records, limit)
    with told():
        _latency(desk, chosen.table, records, changed)


def _chart(heading: str, figure: Figure, alt: str) -> None:
    st.subheader(heading)
    show_chart(figure, heading, alt)


@fragment()
def _records(
    desk: OperationsDesk, files: Sequence[str], shown: Records, of: int, limit: float, changed: list[Mark]
) -> None:
    """Some of the records as points, and the one that was clicked; a click draws this part again and nothing else."""
    st.subheader("Records")
    event = show_chart(
        scatter(shown, desk.classes, limit, changed),
        "records",
        "Confidence of captured records over time, with the threshold as a line",
        on_select="rerun",
        selection_mode="points",
    )
    which = f"{len(shown):,} of {of:,} records: the least certain ones, and others at regular distance. "
    how = "Rest on a point to see the record; click it to see the picture."
    st.caption((which if len(shown) < of else "") + how)
    picked = [point.get("customdata") for point in event.selection.points]
    numbers = [one[0] if isinstance(one, list) else one for one in picked]
    if numbers and numbers[0] is not None and int(numbers[0]) < len(shown):
        with told():
            record_card(desk, files, shown[int(numbers[0])], limit)


def scatter(shown: Records, classes: Sequence[str], limit: float, changed: Sequence[Mark] = ()) -> Figure:
    """A point per record; one that is chosen gives back its place in `shown`."""
    return charts.records(
        shown["time"].astype(np.float64),
        shown["confidence"],
        [classes[number] for number in shown["predicted"]],
        limit,
        [_where(one) for one in shown],
        changed,
    ).update_layout(clickmode="event+select", dragmode="zoom")


def _where(record: Any) -> str:
    moment = clock(datetime.fromtimestamp(int(record["time"]), UTC))
    return f"{moment}, {record['event'].decode('utf-8', 'replace')}"


def _by_class(desk: OperationsDesk, records: Records, limit: float) -> None:
    st.subheader("By class")
    rows = [
        {"predicted": name, PASSING: passing, BELOW: under, "share below": share(under / (passing + under))}
        for name, passing, under in confidence.counted(records, limit, desk.classes)
        if passing + under
    ]
    st.table(
        rows, hide_index=True, border="horizontal", alt="Records by predicted class, above and below the threshold"
    )


def _latency(desk: OperationsDesk, table: Table, records: Records, changed: list[Mark]) -> None:
    st.subheader("Latency of the model")
    start, end = (datetime.fromtimestamp(int(records["time"][i]), UTC) for i in (0, -1))
    found = {v: desk.known(serving.latency, desk.names.endpoint, v, start, end) for v in sorted(set(table.variants))}
    lines = [
        LatencyLine(f"{variant}, {what}", np.array([p.when.timestamp() for p in points]), np.array(values), dashed)
        for variant, points in found.items()
        for what, values, dashed in (
            ("mean", [p.mean for p in points], False),
            ("slowest", [p.most for p in points], True),
        )
        if points
    ]
    if not lines:
        st.info("No data: CloudWatch has no latency of this time.", icon=":material/inbox:")
        return
    if max(len(points) for points in found.values()) < LEAST_POINTS:
        for variant, points in found.items():
            if points:
                mean, most = np.average([p.mean for p in points]), max(p.most for p in points)
                st.markdown(f"{plain(variant)}: mean **{mean:.3g} ms**, slowest **{most:.3g} ms**")
        return
    figure = charts.latency_over_time(lines, charts.span_of(records["time"]), changed)
    show_chart(figure, "latency", "Latency of the model over time, in milliseconds")
    minutes = plural(serving.period(start, end) // 60, "minute")
    st.caption(f"Mean and slowest request of every {minutes}, from CloudWatch: captured records do not say it.")

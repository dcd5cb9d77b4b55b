"""Confidence: how sure the model has been, and what it saw when it was not. The charts are the monitor's report's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

import numpy as np
import streamlit as st
from plotly.graph_objects import Figure

from scones.desk import figures
from scones.desk.data import confidence, runs, serving
from scones.desk.data.records import Records, Table
from scones.desk.desk import Desk
from scones.desk.filters import threshold, traffic
from scones.desk.pictures import record_card
from scones.desk.wording import clock, plural, share, theme, told
from scones.reports import traffic_charts
from scones.reports.charts.axes import Axis, percent
from scones.reports.charts.clock import clock as clock_axis
from scones.reports.charts.drawing import Drawing
from scones.reports.charts.plots import Guide, Series
from scones.reports.charts.theme import Theme, series
from scones.reports.traffic_charts import HELD, ROUTED

PASSING, BELOW = "routed", "below the threshold"


def show(desk: Desk) -> None:
    """Draw the page."""
    st.title("Confidence")
    with told():
        table, records = traffic(desk, "confidence")
        setting = threshold(desk)
        if setting and len(records):
            _charts(desk, table, records, setting.value)


def _charts(desk: Desk, table: Table, records: Records, limit: float) -> None:
    history = confidence.history(records, desk.classes, limit)
    below = share(history.low_share())
    st.markdown(f"**{below}** of {plural(len(records), 'record')} are below the threshold of **{limit:g}**.")
    _records(desk, table.files, records[confidence.sample(records, limit)], len(records), limit)
    left, right = st.columns(2, gap="medium")
    with left:
        _chart("Over time", traffic_charts.confidence_over_time(history))
        with told():
            _chart("Class mix", traffic_charts.class_mix(history, runs.baseline_mix()))
    with right:
        _chart("Distribution", traffic_charts.confidence_histogram(history))
        _chart("Routed and held back", traffic_charts.above_and_below(history))
    _by_class(desk, records, limit)
    with told():
        _latency(desk, table, records)


def _chart(heading: str, drawing: Drawing) -> None:
    st.subheader(heading)
    figure = figures.of(drawing, theme())
    st.plotly_chart(figure, key=heading, config=figures.CONFIG, alt=drawing.title)


@st.fragment
def _records(desk: Desk, files: Sequence[str], shown: Records, of: int, limit: float) -> None:
    """Some of the records as points, and the one that was clicked; a click draws this part again and nothing else."""
    st.subheader("Records")
    event = st.plotly_chart(
        scatter(shown, desk.classes, limit, theme()),
        key="records",
        on_select="rerun",
        selection_mode="points",
        config=figures.CONFIG,
        alt="Confidence of captured records over time, with the threshold as a line",
    )
    which = f"{len(shown):,} of {of:,} records: the least certain ones, and others at regular distance. "
    how = "Rest on a point to see the record; click it to see the picture."
    st.caption((which if len(shown) < of else "") + how)
    picked = [point.get("customdata") for point in event.selection.points]
    numbers = [one[0] if isinstance(one, list) else one for one in picked]
    if numbers and numbers[0] is not None and int(numbers[0]) < len(shown):
        with told():
            record_card(desk, files, shown[int(numbers[0])], limit)


def scatter(shown: Records, classes: Sequence[str], limit: float, look: Theme) -> Figure:
    """A point per record; one that is chosen gives back its place in `shown`."""
    groups = []
    for name, role, symbol, mask in (
        (PASSING, ROUTED, "circle", shown["confidence"] >= limit),
        (BELOW, HELD, "x", shown["confidence"] < limit),
    ):
        part = shown[mask]
        tips = [_tip(classes, one) for one in part]
        places = np.flatnonzero(mask).tolist()
        groups.append((name, role, symbol, part["time"].tolist(), part["confidence"].tolist(), tips, places))
    level = Guide(f"threshold {limit:g}", y=limit, role="ink")
    return figures.points(look, _time(shown), _confidence(len(classes)), groups, [level])


def _tip(classes: Sequence[str], record: Any) -> str:
    moment = clock(datetime.fromtimestamp(int(record["time"]), UTC))
    event = escape(record["event"].decode("utf-8", "replace"))
    return f"{classes[record['predicted']]} {record['confidence']:.4f}<br>{moment} UTC<br>{event}"


def _by_class(desk: Desk, records: Records, limit: float) -> None:
    st.subheader("By class")
    rows = [
        {"predicted": name, PASSING: passing, BELOW: under, "share below": share(under / (passing + under))}
        for name, passing, under in confidence.counted(records, limit, desk.classes)
        if passing + under
    ]
    st.table(
        rows, hide_index=True, border="horizontal", alt="Records by predicted class, above and below the threshold"
    )


def _latency(desk: Desk, table: Table, records: Records) -> None:
    st.subheader("Latency of the model")
    start, end = (datetime.fromtimestamp(int(records["time"][i]), UTC) for i in (0, -1))
    found = {v: serving.latency(desk.names.endpoint, v, start, end) for v in sorted(set(table.variants))}
    lines = [
        Series(f"{variant}, {what}", [p.when.timestamp() for p in points], values, series(2 * i + j), dashed=j == 1)
        for i, (variant, points) in enumerate(found.items())
        for j, (what, values) in enumerate((("mean", [p.mean for p in points]), ("slowest", [p.most for p in points])))
        if points
    ]
    if not lines:
        st.info("No data: CloudWatch has no latency of this time.", icon=":material/inbox:")
        return
    most = max(max(line.y) for line in lines)
    figure = figures.lines(theme(), _time(records), Axis("milliseconds", 0, 1.1 * most), lines)
    st.plotly_chart(figure, key="latency", config=figures.CONFIG, alt="Latency of the model over time, in milliseconds")
    minutes = plural(serving.period(start, end) // 60, "minute")
    st.caption(f"Mean and slowest request of every {minutes}, from CloudWatch: captured records do not say it.")


def _time(records: Records) -> Axis:
    first, last = float(records["time"][0]), float(records["time"][-1])
    room = max(1.0, 0.02 * (last - first))
    return clock_axis(first - room, last + room)


def _confidence(classes: int) -> Axis:
    return Axis("confidence", 1 / classes - 0.02, 1.02, percent)

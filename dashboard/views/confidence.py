"""Confidence: how sure the model has been, and what it saw when it was not. The charts are the monitor's report's."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import Any

import streamlit as st

from charts.axes import Axis, percent
from charts.clock import clock as clock_axis
from charts.drawing import Drawing
from charts.plots import Guide, Series
from charts.theme import Theme, series
from dashboard import figures
from dashboard.choosing import threshold, traffic
from dashboard.data import confidence, runs, serving
from dashboard.data.records import Records, Table
from dashboard.desk import Desk
from dashboard.pictures import record_card
from dashboard.saying import clock, plural, share, theme, told
from monitoring import charts
from monitoring.charts import HELD, ROUTED

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
    chosen = _scatter(desk, records, limit, theme())
    if chosen is not None:
        record_card(desk, table, chosen, limit)
    left, right = st.columns(2, gap="medium")
    with left:
        _chart("Over time", charts.confidence_over_time(history))
        with told():
            _chart("Class mix", charts.class_mix(history, runs.baseline_mix()))
    with right:
        _chart("Distribution", charts.confidence_histogram(history))
        _chart("Routed and held back", charts.above_and_below(history))
    _by_class(desk, records, limit)
    with told():
        _latency(desk, table, records)


def _chart(heading: str, drawing: Drawing) -> None:
    st.subheader(heading)
    figure = figures.of(drawing, theme())
    st.plotly_chart(figure, key=heading, config=figures.CONFIG, alt=drawing.title)


def _scatter(desk: Desk, records: Records, limit: float, look: Theme) -> Records | None:
    """The records as points; the one that was clicked."""
    st.subheader("Records")
    rows = confidence.sample(records, limit)
    shown = records[rows]
    groups = []
    for name, role, symbol, mask in (
        (PASSING, ROUTED, "circle", shown["confidence"] >= limit),
        (BELOW, HELD, "x", shown["confidence"] < limit),
    ):
        part = shown[mask]
        tips = [_tip(desk, one) for one in part]
        groups.append(
            (name, role, symbol, part["time"].tolist(), part["confidence"].tolist(), tips, rows[mask].tolist())
        )
    figure = figures.points(
        look, _time(records), _confidence(desk), groups, [Guide(f"threshold {limit:g}", y=limit, role="ink")]
    )
    event = st.plotly_chart(
        figure,
        key="records",
        on_select="rerun",
        selection_mode="points",
        config=figures.CONFIG,
        alt="Confidence of captured records over time, with the threshold as a line",
    )
    which = f"{len(rows):,} of {len(records):,} records: the least certain ones, and others at regular distance. "
    how = "Rest on a point to see the record; click it to see the picture."
    st.caption((which if len(rows) < len(records) else "") + how)
    picked = [point.get("customdata") for point in event.selection.points]
    numbers = [one[0] if isinstance(one, list) else one for one in picked]
    return records[int(numbers[0])] if numbers and numbers[0] is not None and int(numbers[0]) < len(records) else None


def _tip(desk: Desk, record: Any) -> str:
    moment = clock(datetime.fromtimestamp(int(record["time"]), UTC))
    event = escape(record["event"].decode("utf-8", "replace"))
    return f"{desk.classes[record['predicted']]} {record['confidence']:.4f}<br>{moment} UTC<br>{event}"


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


def _time(records: Records) -> Axis:
    first, last = float(records["time"][0]), float(records["time"][-1])
    room = max(1.0, 0.02 * (last - first))
    return clock_axis(first - room, last + room)


def _confidence(desk: Desk) -> Axis:
    return Axis("confidence", 1 / len(desk.classes) - 0.02, 1.02, percent)

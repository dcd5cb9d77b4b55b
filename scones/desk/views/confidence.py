"""Confidence: how sure the model has been, and what it saw when it was not. The charts are the monitor's report's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import streamlit as st
from plotly.graph_objects import Figure

from monitoring.analysis.features import Floats
from monitoring.measures.metrics import wilson
from scones.desk.charts import show_chart
from scones.desk.data import confidence, runs, serving
from scones.desk.data.records import Records, Table
from scones.desk.data.serving import LatencyPoint
from scones.desk.desk import OperationsDesk
from scones.desk.filters import Traffic, marks, threshold, traffic, unfamiliarity_limit
from scones.desk.pictures import record_card
from scones.desk.refresh import fragment
from scones.desk.wording import clock, measured, plain, plural, share, told
from scones.reports.charts import traffic as charts
from scones.reports.charts.layout import Mark
from scones.reports.charts.traffic import LatencyLine

LEAST_POINTS = 3
"""Of a latency curve; fewer are told as numbers."""
CARD = "confidence-card"


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
    under = int((records["confidence"] < limit).sum())
    low, high = map(share, wilson(under, len(records)))
    st.markdown(
        f"**{share(under / len(records))}** ({low} to {high}) of {plural(len(records), 'record')} are below the "
        f"threshold of **{limit:g}**.{_strange(desk, records, limit)}"
    )
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
            "Above and below the threshold",
            charts.above_and_below(history, changed),
            "Records above and below the threshold over time",
        )
    _by_class(desk, records, limit)
    with told():
        _load(desk, chosen.table, records, changed)


def _strange(desk: OperationsDesk, records: Records, limit: float) -> str:
    """How many of those that are sure enough are not routed either."""
    found = unfamiliarity_limit(desk) if np.isfinite(records["unfamiliarity"]).any() else None
    if found is None:
        return ""
    sure = records["confidence"] >= limit
    strange = int((sure & (records["unfamiliarity"] > found.value)).sum())
    return f" Of the other {int(sure.sum()):,}, {strange:,} are unfamiliar (above {found.value:g}): not routed either."


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
    card = _card(numbers[0] if numbers else None, shown, files, of)
    if card:
        with told():
            strange = unfamiliarity_limit(desk)
            record_card(desk, {card.record["file"]: card.file}, card.record, limit, strange.value if strange else 1.0)


@dataclass(frozen=True)
class Card:
    """The record that was clicked, of so many: it stays while the chart is drawn again with more of them."""

    number: int
    record: Any
    file: str
    of: int


def _card(number: int | None, shown: Records, files: Sequence[str], of: int) -> Card | None:
    kept: Card | None = st.session_state.get(CARD)
    if number is None:
        if kept and kept.of != of:
            return kept  # nobody let go of it: the chart is another one
        st.session_state.pop(CARD, None)
        return None
    if kept and kept.number == number:
        return kept
    if number >= len(shown):
        return None
    record = shown[number].copy()
    card = st.session_state[CARD] = Card(number, record, files[record["file"]], of)
    return card


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
        {"predicted": name, "above": f"{passing:,}", "below": f"{under:,}", "share below": _share_below(passing, under)}
        for name, passing, under in confidence.counted(records, limit, desk.classes)
        if passing + under
    ]
    st.table(
        rows, hide_index=True, border="horizontal", alt="Records by predicted class, above and below the threshold"
    )
    st.caption("Above and below the threshold; in brackets the 95 % interval.")


def _share_below(passing: int, under: int) -> str:
    low, high = wilson(under, passing + under)
    return measured(under / (passing + under), low, high, True)


def _load(desk: OperationsDesk, table: Table, records: Records, changed: list[Mark]) -> None:
    """What CloudWatch counted of the time that the records are of: captured records do not say it."""
    start, end = (datetime.fromtimestamp(int(records["time"][i]), UTC) for i in (0, -1))
    asked = {
        variant: desk.known(serving.latency, desk.names.endpoint, variant, start, end)
        for variant in sorted(set(table.variants))
    }
    found = {variant: points for variant, points in asked.items() if points}
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("Latency of the model")
    with right:
        st.subheader("Requests a minute")
    if not found:
        with left:
            st.info("No data: CloudWatch has no latency of this time.", icon=":material/inbox:")
        with right:
            st.info("No data: CloudWatch has no requests of this time.", icon=":material/inbox:")
        return
    minutes = serving.period(start, end) // 60
    span, is_short = charts.span_of(records["time"]), max(map(len, found.values())) < LEAST_POINTS
    with left:
        if is_short:
            _latency_in_words(found)
        else:
            figure = charts.latency_over_time(list(_latency_lines(found)), span, changed)
            show_chart(figure, "latency", "Latency of the model over time, in milliseconds")
    with right:
        if is_short:
            for variant, points in found.items():
                rate = sum(p.count for p in points) / (minutes * len(points))
                st.markdown(f"{plain(variant)}: **{rate:.3g}** requests a minute")
        else:
            rates = {v: (_times(points), np.array([p.count / minutes for p in points])) for v, points in found.items()}
            show_chart(charts.requests_over_time(rates, span, changed), "requests", "Requests a minute over time")
    each = f"Every {plural(minutes, 'minute')}" if minutes > 1 else "Every minute"
    st.caption(f"{each}, from CloudWatch. p95: 95 of 100 answers took at most that long.")


def _latency_lines(found: dict[str, list[LatencyPoint]]) -> Iterator[LatencyLine]:
    for variant, points in found.items():
        whose = f"{variant}, " if len(found) > 1 else ""
        yield LatencyLine(f"{whose}mean", _times(points), np.array([p.mean for p in points]))
        p95 = np.array([np.nan if p.p95 is None else p.p95 for p in points])
        if np.isfinite(p95).any():
            yield LatencyLine(f"{whose}p95", _times(points), p95)
        yield LatencyLine(f"{whose}slowest", _times(points), np.array([p.most for p in points]), dashed=True)


def _times(points: list[LatencyPoint]) -> Floats:
    return np.array([p.when.timestamp() for p in points])


def _latency_in_words(found: dict[str, list[LatencyPoint]]) -> None:
    for variant, points in found.items():
        mean, most = (
            np.average([p.mean for p in points], weights=[p.count for p in points]),
            max(p.most for p in points),
        )
        tails = [p.p95 for p in points if p.p95 is not None]
        p95 = f", p95 **{max(tails):.3g} ms**" if tails else ""
        st.markdown(f"{plain(variant)}: mean **{mean:.3g} ms**{p95}, slowest **{most:.3g} ms**")

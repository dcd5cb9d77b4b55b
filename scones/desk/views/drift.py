"""Drift: how far traffic is from the live version's test set."""

from __future__ import annotations

import streamlit as st

from monitoring.analysis.features import BY_NAME
from scones.desk import figures
from scones.desk.data import runs as data
from scones.desk.data.runs import Overlay, Run
from scones.desk.desk import Desk
from scones.desk.views.now import VERDICTS
from scones.desk.wording import age, clock, now, plain, plural, theme, told
from scones.reports import traffic_charts
from scones.reports.charts.axes import Axis, percent
from scones.reports.charts.clock import clock as clock_axis
from scones.reports.charts.plots import Guide, Series
from scones.reports.charts.theme import series
from scones.reports.traffic_charts import SEVEREST, drift_note

LINES = 6
"""Features that one chart of the history can hold: there are so many colours."""


def show(desk: Desk) -> None:
    """Draw the page."""
    st.title("Drift")
    with told():
        found = desk.runs.all()
        if desk.runs.problems:
            with st.expander(
                f"{plural(len(desk.runs.problems), 'report')} could not be read", icon=":material/warning:"
            ):
                st.code("\n".join(desk.runs.problems), language=None, wrap_lines=True)
        if not found:
            why = "no report can be read." if desk.runs.problems else "the monitor has not run yet."
            st.info(f"No data: {why} Run it once with `scones monitor run`.", icon=":material/inbox:")
            return
        _page(desk, found)


def _page(desk: Desk, found: list[Run]) -> None:
    newest_first = found[::-1]
    chosen = st.selectbox("Run", newest_first, format_func=_named, key="drift-run")
    text, colour, icon = VERDICTS[chosen.outcome]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(text, icon=icon, color=colour)
        st.markdown(plain(chosen.message))
    st.caption(f"{age((now() - chosen.when).total_seconds())}, over {plural(chosen.records, 'record')}")
    if chosen.outcome.judged:
        left, right = st.columns(2, gap="medium")
        with left:
            _features(chosen)
        with right:
            _violations(desk, chosen)
    _history(found)
    with told():
        _distributions(desk, chosen)


def _features(run: Run) -> None:
    st.subheader("Features against their thresholds")
    if not run.drifts:
        st.info("No data: nothing was compared in this run.", icon=":material/inbox:")
        return
    drawing = traffic_charts.drift_per_feature(run.drifts)
    st.plotly_chart(figures.of(drawing, theme()), key="features", config=figures.CONFIG, alt=drawing.title)
    st.caption("The gap to the baseline's distribution, in units of what is allowed. Beyond the line is a violation.")


def _violations(desk: Desk, run: Run) -> None:
    st.subheader("Violations")
    found = data.violations(desk.feed.bucket, run)
    if not found:
        st.success("None in this run.", icon=":material/check_circle:")
    for one in found:
        check = one["constraint_check_type"].replace("_", " ")
        st.markdown(f"**{plain(one['feature_name'])}**, {plain(check)}  \n{plain(one['description'])}")


def _history(found: list[Run]) -> None:
    st.subheader("Over the runs")
    judged = [run for run in found if run.drifts]
    if not judged:
        st.info("No data: no run has had enough records and a baseline yet.", icon=":material/inbox:")
        return
    names = sorted(
        {d.feature for run in judged for d in run.drifts},
        key=lambda name: -max(d.severity for run in judged for d in run.drifts if d.feature == name),
    )
    chosen = st.pills(
        "Features", names, selection_mode="multi", default=names[: min(3, len(names))], key="drift-features"
    )
    lines = [_line(name, judged, index) for index, name in enumerate(chosen[:LINES])]
    if not lines:
        return
    times = [run.when.timestamp() for run in judged]
    room = 0.02 * (max(times) - min(times))
    top = max(1.2, 1.1 * max(max(line.y) for line in lines))
    figure = figures.lines(
        theme(),
        clock_axis(min(times) - room, max(times) + room),
        Axis("times what is allowed", 0, top),
        lines,
        [Guide("limit", y=1.0, role="ink")],
    )
    st.plotly_chart(figure, key="history", config=figures.CONFIG, alt="Drift over the monitor's runs, by feature")


def _line(name: str, judged: list[Run], index: int) -> Series:
    pairs = [(run, d) for run in judged for d in run.drifts if d.feature == name]
    tips = [f"{name}<br>{clock(run.when)} UTC<br>{drift_note(d)}" for run, d in pairs]
    times = [run.when.timestamp() for run, _ in pairs]
    severities = [min(d.severity, 3 * SEVEREST) for _, d in pairs]
    return Series(name, times, severities, series(index), tips=tips, dots=True, dashed=index >= LINES // 2)


def _distributions(desk: Desk, run: Run) -> None:
    st.subheader("Baseline and traffic")
    then, current = data.baseline(), data.current(desk.feed.bucket, run)
    names = [name for name in BY_NAME if any(p and name in p.features for p in (then, current))]
    if not names:
        st.info("No data: neither a baseline nor this run has distributions.", icon=":material/inbox:")
        return
    drifted = {d.feature: d.severity for d in run.drifts}
    start = max(names, key=lambda name: drifted.get(name, 0.0))
    name = st.selectbox("Feature", names, index=names.index(start), key="drift-feature", width=320)
    found = data.overlay(
        name, then.features.get(name) if then else None, current.features.get(name) if current else None
    )
    if found is None:
        st.info(f"No data: no value of {name} on either side.", icon=":material/inbox:")
        return
    if found.then is None:
        st.caption("No baseline: nothing is live, or its version was registered without one.")
    st.caption(f"{name}: {found.meaning}" if found.meaning else name)
    st.plotly_chart(
        _overlaid(found),
        key="overlay",
        config=figures.CONFIG,
        alt=f"Distribution of {name} in the baseline and in traffic",
    )


def _overlaid(found: Overlay) -> object:
    sides = [
        (name, role, shares.tolist())
        for name, role, shares in (("baseline", series(0), found.then), ("traffic", series(1), found.now))
        if shares is not None
    ]
    top = 1.1 * max(max(shares) for _, _, shares in sides)
    share_axis = Axis("share of records", 0, top or 1.0, percent)
    if found.edges is None:
        return figures.grouped(theme(), found.names, share_axis, sides)
    low, high = float(found.edges[0]), float(found.edges[-1])
    return figures.bars(theme(), Axis(found.feature, low, high), share_axis, found.edges.tolist(), sides)


def _named(run: Run) -> str:
    return f"{clock(run.when)} UTC, {VERDICTS[run.outcome][0].lower()}"

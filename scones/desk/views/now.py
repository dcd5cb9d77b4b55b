"""Now: does it work at this moment?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache

import numpy as np
import streamlit as st
from plotly.graph_objects import Figure

from pipelines.runs.live_history import deployments
from scones.desk.charts import show_chart
from scones.desk.data import serving
from scones.desk.data.deployments import of_version
from scones.desk.data.records import Records, answered
from scones.desk.data.runs import MonitorRun
from scones.desk.desk import OperationsDesk
from scones.desk.filters import FIRST_LOOK_SECONDS, empty, freshness, threshold, unfamiliarity_limit
from scones.desk.refresh import fragment
from scones.desk.views import problems
from scones.desk.views.verdicts import VERDICTS
from scones.desk.wording import NONE, age, clock, now, plain, plural, share, told
from scones.reports.charts import layout, marks, words

EVERY_SECONDS = 5
LOAD_SECONDS = 2
RECENT_SECONDS = 3600
RATE_SECONDS = 300
LOAD_OLD_SECONDS = 30
"""CloudWatch counts by the minute, and bills by the question."""
STATUSES = {
    "InService": ("In service", "green", ":material/check_circle:"),
    "Failed": ("Failed", "red", ":material/error:"),
    None: ("No endpoint", "gray", ":material/inbox:"),
}
ALARMS = {
    "OK": ("OK", "green", ":material/check_circle:"),
    "ALARM": ("Alarm", "red", ":material/notifications_active:"),
    "INSUFFICIENT_DATA": ("No data", "gray", ":material/inbox:"),
}


def show(desk: OperationsDesk) -> None:
    """Draw the page; it refreshes itself."""
    st.title("Now")

    @fragment(run_every=EVERY_SECONDS)
    def live() -> None:
        for row in ((problems.show_problems,), (_endpoint, _traffic), (_executions, _verdict), (_alarms,)):
            for column, part in zip(st.columns(len(row)), row, strict=True):
                with column, st.container(border=True, height="stretch"), told():
                    part(desk)
        st.caption(f"Looked at {clock(now())}; looks again every {EVERY_SECONDS} seconds.")

    live()
    _load_charts()


@fragment(run_every=LOAD_SECONDS)
def _load_charts() -> None:
    """At its second run a chart that nobody sees: the browser loads Plotly, 5 MB, while people read this page."""
    runs = st.session_state["now-was-read"] = st.session_state.get("now-was-read", 0) + 1
    if runs == 2:
        with st.container(key="unseen"):
            show_chart(unseen(), "unseen-chart", "")


@cache
def unseen() -> Figure:
    """Something of all that charts are made of, so that a browser has met it when the first real one comes."""
    edges, where = [0.0, 1800.0, 3600.0], ["", ""]
    ends = words.times([0, 3600])
    band = marks.Interval([0.0, 1.0], [0.0, 0.5], [0.5, 1.0])
    line = marks.line("a", ends, band, "series1", where=where, dots=True, dashed=True)
    bars = marks.bars("b", edges, [1.0, 2.0], "series2", where=where, clock=True)
    x, y = layout.time_axis(edges[0], edges[-1]), layout.share_axis("share", 0, 2)
    return layout.chart([*line, bars], x, y, [layout.Guide("c", y=1.0)])


def _endpoint(desk: OperationsDesk) -> None:
    st.subheader("Endpoint")
    found = desk.known(serving.endpoint, desk.names.endpoint)
    text, colour, icon = STATUSES.get(found.status, (found.status or "", "orange", ":material/sync:"))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(text, icon=icon, color=colour)
        if found.version is not None:
            st.markdown(f"model version **{found.version}**")
    if found.status is None:
        st.caption(f"There is no endpoint {found.name} yet. Approve a model on the page Models.")
    elif found.changed:
        st.caption(f"{found.name}, changed {age((now() - found.changed).total_seconds())}")
    if found.reason:
        st.error(plain(found.reason))
    _load(desk, found.variants)


def _load(desk: OperationsDesk, variants: Sequence[str]) -> None:
    """How much the endpoint is asked, and how long it takes: of each variant, as CloudWatch counts by the minute."""
    for variant in variants:
        lately, hour = (
            desk.known.at_most_old(LOAD_OLD_SECONDS, serving.load, desk.names.endpoint, variant, seconds)
            for seconds in (RATE_SECONDS, RECENT_SECONDS)
        )
        whose = f", {variant}" if len(variants) > 1 else ""
        with st.container(horizontal=True):
            st.metric(f"Requests a minute{whose}", f"{lately.per_minute:.3g}", width="content")
            st.metric("p95 latency", NONE if hour.p95 is None else f"{hour.p95:.3g} ms", width="content")
    if variants:
        st.caption(
            f"Requests of the last {RATE_SECONDS // 60} minutes. p95 of the last hour: 95 of 100 answers of the model "
            "took at most that long."
        )


def _executions(desk: OperationsDesk) -> None:
    st.subheader("Deliveries today")
    counts = desk.known(desk.today.counts)
    if not counts:
        st.info("No data: nothing was routed since midnight, UTC.", icon=":material/inbox:")
        return
    with st.container(horizontal=True):
        st.metric("Routed", f"{counts['routed']:,}", width="content")
        st.metric("Not routed", f"{counts['not routed']:,}", width="content")
        st.metric("Failed", f"{counts['failed']:,}", width="content")
        if counts["running"]:
            st.metric("Running", f"{counts['running']:,}", width="content")
    st.caption(
        "Not routed: the confidence was below the threshold, or the picture unlike those that the model learned from. "
        "Failed: for any other reason."
    )
    if counts["not looked at"]:
        st.caption(f"Why {plural(counts['not looked at'], 'execution')} failed is still being asked.")


def _traffic(desk: OperationsDesk) -> None:
    st.subheader("Outside the limits")
    table = desk.feed.wait(FIRST_LOOK_SECONDS)
    records = answered(table.chosen(time.time() - RECENT_SECONDS))
    deployed = desk.known(deployments, desk.names.live_parameter)
    live = deployed[-1].version if deployed else None
    if live is not None:
        records = of_version(records, deployed, live)
    setting = threshold(desk)
    if not len(records):
        empty(table, "hour", live)
    elif setting:
        below = int((records["confidence"] < setting.value).sum())
        with st.container(horizontal=True):
            st.metric(f"Below {setting.value:g}", share(below / len(records)), width="content")
            strange = _show_strange(desk, records)
        whose = "" if live is None else f" of version {live}, the live one"
        st.caption(
            f"Of {plural(len(records), 'record')} of the last hour{whose}: {below:,} below the threshold{strange}."
        )
    freshness(desk, table)


def _show_strange(desk: OperationsDesk, records: Records) -> str:
    """Show the share of unfamiliar pictures, where answers say it; their number in words."""
    said = records["unfamiliarity"][np.isfinite(records["unfamiliarity"])]
    limit = unfamiliarity_limit(desk) if len(said) else None
    if limit is None:
        return ""
    above = int((said > limit.value).sum())
    why = "The share of known pictures that are more like those that the model learned from is above this limit."
    st.metric(f"Unfamiliar, above {limit.value:g}", share(above / len(said)), help=why, width="content")
    of_others = "" if len(said) == len(records) else f" of the {len(said):,} that say how unfamiliar they are"
    return f", {above:,}{of_others} unfamiliar; some may be both"


def _verdict(desk: OperationsDesk) -> None:
    st.subheader("Monitor")
    runs = desk.known(desk.runs.all)
    if not runs:
        why = "no report of the monitor can be read." if desk.runs.problems else "the monitor has not run yet."
        st.info(f"No data: {why}", icon=":material/inbox:")
        return
    last: MonitorRun = runs[-1]
    text, colour, icon = VERDICTS[last.outcome]
    live = desk.known(serving.live_version)
    is_past = None not in (last.version, live) and last.version != live
    st.badge(text, icon=icon, color="gray" if is_past else colour)
    st.markdown(plain(last.message))
    whose = "" if last.version is None else f" of version {last.version}"
    whose += ", which was replaced" if is_past else ""
    st.caption(f"{age((now() - last.when).total_seconds())}, over {plural(last.records, 'record')}{whose}")


def _alarms(desk: OperationsDesk) -> None:
    st.subheader("Alarms")
    prefix = f"{desk.names.settings.project}-"
    found = desk.known(serving.alarms, prefix)
    if not found:
        st.info(f"No data: there are no alarms. {problems.DEPLOY}", icon=":material/inbox:")
    rows = []
    for alarm in found:
        text, colour, icon = ALARMS.get(alarm.state, (alarm.state, "gray", ":material/help:"))
        name, what = plain(alarm.name.removeprefix(prefix)), plain(alarm.what)
        rows.append({"state": f":{colour}-badge[{icon} {text}]", "alarm": name, "rings when": what})
    if rows:
        st.table(rows, hide_index=True, border="horizontal", alt="Alarms, their states, and what they ring for")

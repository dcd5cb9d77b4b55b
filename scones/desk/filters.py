"""What every page about traffic lets people choose, and how it says what they look at."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from pipelines.runs.live_history import Deployment, deployments
from scones.desk.data.deployments import of_version, versions
from scones.desk.data.records import Records, Table, answered
from scones.desk.desk import OperationsDesk
from scones.desk.refresh import fragment, show_again_when
from scones.desk.wording import age, cloud_answers, plural, problem, told, zone
from scones.reports import changes
from scones.reports.charts.layout import Mark
from stepfunctions.threshold import UNFAMILIARITY, Change, current, history

PERIODS: dict[str, int | None] = {"1 hour": 3600, "24 hours": 86400, "7 days": 7 * 86400, "everything": None}
ALL = 0
"""In the place of a version's number: every version's traffic."""
FIRST_LOOK_SECONDS = 0.4
"""How long a page waits when nothing was read yet; then it says so, and comes again by itself."""
READING_SECONDS = 2
"""How often a page looks whether everything was read."""


@dataclass(frozen=True)
class Traffic:
    """What was chosen: answered `records` of `version`, or of all when it is None."""

    table: Table
    records: Records
    version: int | None
    deployed: list[Deployment]


def traffic(desk: OperationsDesk, key: str) -> Traffic:
    """Let people choose period, version and variant. Unless they do, it is the live version's traffic."""
    table, deployed = desk.feed.wait(FIRST_LOOK_SECONDS), desk.known(deployments, desk.names.live_parameter)
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{key}-choice"):
        period = choose_period()
        version = _version(deployed, key)
        variants = sorted(set(table.variants))
        variant = None
        if len(variants) > 1:
            chosen = st.selectbox("Variant", ["all", *variants], key=f"{key}-variant", width=220)
            variant = None if chosen == "all" else chosen
    seconds = PERIODS[period]
    records = answered(table.chosen(None if seconds is None else time.time() - seconds, variant))
    if version is not None:
        records = of_version(records, deployed, version)
    freshness(desk, table)
    if _is_first_reading(desk, table):
        _until_read(desk)
    else:
        show_again_when(lambda: len(desk.feed.table.records), len(table.records))
    if not len(records):
        empty(table, period, version)
    return Traffic(table, records, version, deployed)


def choose_period(*, disabled: bool = False) -> str:
    """Let people choose one of PERIODS, which stays in the address."""
    chosen = st.segmented_control(
        "Period",
        list(PERIODS),
        default="everything",
        key="period",
        required=True,
        bind="query-params",
        disabled=disabled,
    )
    return chosen or "everything"


def _version(deployed: list[Deployment], key: str) -> int | None:
    """The version that people choose, the live one unless they do; None for all of them."""
    known = versions(deployed)
    if not known:
        return None
    live = deployed[-1].version
    choices = [*known, ALL]

    def named(version: int) -> str:
        if version == ALL:
            return "all versions"
        if version != live:
            return f"version {version}"
        return f"version {version}, live since {datetime.fromtimestamp(deployed[-1].when, zone()):%d %b %H:%M}"

    chosen: int = st.selectbox(
        "Version", choices, index=choices.index(live or ALL), format_func=named, key=f"{key}-version", width=270
    )
    return None if chosen == ALL else chosen


def marks(desk: OperationsDesk, deployed: list[Deployment]) -> list[Mark]:
    """Deployments and changes of the threshold, for time axes."""
    return changes.marks(deployed, desk.known(history, desk.names.threshold_parameter))


def freshness(desk: OperationsDesk, table: Table) -> None:
    """How much was read, how old it is, and what could not be read."""
    if desk.feed.problem and cloud_answers():
        problem(desk.feed.problem)
    parts = []
    if len(table.records):
        newest = time.time() - float(table.records["time"][-1])
        parts.append(f"{plural(len(table.records), 'captured record')}, the newest {age(newest)}")
    if table.unread:
        again = ", and drawn again when all are read" if _is_first_reading(desk, table) else ""
        parts.append(f"still reading {plural(table.unread, 'file')}{again}")
    if table.left_out:
        parts.append(f"{plural(table.left_out, 'older file')} left out")
    if parts:
        st.caption(" · ".join(parts) + ". Endpoints write captured traffic about a minute late.")
    if table.bad or table.faults:
        with st.expander(
            f"{plural(table.bad + table.faults, 'captured line')} could not be used", icon=":material/warning:"
        ):
            st.code("\n".join(table.problems), language=None, wrap_lines=True)


def _is_first_reading(desk: OperationsDesk, table: Table) -> bool:
    """Whether much may be missing. A file that came since is no reason to draw a page again under people's hands."""
    return bool(table.unread) and desk.feed.looked is None


@fragment(run_every=READING_SECONDS)
def _until_read(desk: OperationsDesk) -> None:
    """Draw the whole page again when everything was read."""
    if not desk.feed.table.unread:
        st.rerun()


def empty(table: Table, period: str, version: int | None = None) -> None:
    """Say that there is nothing, and why that may be."""
    of_it = "" if version is None else f" of version {version}"
    if table.unread:
        st.info("Captured traffic is being read.", icon=":material/hourglass_top:")
    elif len(table.records):
        when = "" if period == "everything" else f" in the last {period}"
        other = "Choose a longer period" if version is None else "Choose a longer period, or another version"
        st.info(f"No data: no captured record{of_it}{when}. {other}.", icon=":material/inbox:")
    else:
        st.info(
            "No data: the endpoint has captured nothing yet. Send pictures with `scones test-cases`; captured "
            "traffic comes about a minute later.",
            icon=":material/inbox:",
        )


def unfamiliarity_limit(desk: OperationsDesk) -> Change | None:
    """The unfamiliarity limit's present version; None, with the reason shown, when it cannot be read."""
    with told():
        return desk.known(current, desk.names.unfamiliarity_parameter, UNFAMILIARITY)
    return None


def threshold(desk: OperationsDesk) -> Change | None:
    """The threshold's present version; None, with the reason shown, when it cannot be read."""
    with told():
        return desk.known(current, desk.names.threshold_parameter)
    return None

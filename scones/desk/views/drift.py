"""Drift: how far traffic is from the live version's test set."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from monitoring.analysis.features import BY_NAME
from monitoring.analysis.profile import FeatureProfile
from pipelines.runs.live_history import deployments
from scones.desk.charts import show_chart
from scones.desk.data import runs as data
from scones.desk.data.records import Records, answered
from scones.desk.data.runs import MonitorRun
from scones.desk.data.unlike import OF_RECORDS, Unlike, of_run, unlike
from scones.desk.desk import OperationsDesk
from scones.desk.filters import FIRST_LOOK_SECONDS, marks
from scones.desk.pictures import described, shown
from scones.desk.refresh import show_again_when
from scones.desk.views.verdicts import VERDICTS
from scones.desk.wording import age, clock, now, plain, plural, told
from scones.reports.charts import drift

RUNS_OLD_SECONDS = 15
SMALL = 150
"""Pixels of a picture beside the distributions."""


def show(desk: OperationsDesk) -> None:
    """Draw the page."""
    st.title("Drift")
    with told():
        found = desk.known(desk.runs.all)
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


def _page(desk: OperationsDesk, found: list[MonitorRun]) -> None:
    newest_first = found[::-1]
    chosen = st.selectbox("Run", newest_first, index=_asked_for(newest_first), format_func=_named, key="drift-run")
    text, colour, icon = VERDICTS[chosen.outcome]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(text, icon=icon, color=colour)
        st.markdown(plain(chosen.message))
    st.caption(f"{age((now() - chosen.when).total_seconds())}, over {plural(chosen.records, 'record')}")
    if chosen.outcome.judged:
        left, right = st.columns(2, gap="medium")
        with left:
            _features(chosen)
        with right, told():
            _history(desk, found)
        with told():
            _violations(desk, chosen)
    else:
        with told():
            _history(desk, found)
    with told():
        _feature(desk, chosen)
    show_again_when(lambda: len(desk.known.at_most_old(RUNS_OLD_SECONDS, desk.runs.all)), len(found))


def _asked_for(newest_first: list[MonitorRun]) -> int:
    """The newest run, or with `run=violations` in the address, as from an alert, the newest that found some."""
    if st.query_params.get("run") == "violations":
        return next((place for place, run in enumerate(newest_first) if run.violations), 0)
    return 0


def _features(run: MonitorRun) -> None:
    st.subheader("Features against their thresholds")
    if not run.drifts:
        st.info("No data: nothing was compared in this run.", icon=":material/inbox:")
        return
    show_chart(drift.drift_per_feature(run.drifts), "features", "Drift per feature against its threshold")
    st.caption(
        "Times what is allowed: the gap to the baseline's distribution, divided by the largest one that passes, which "
        "is the threshold and what chance does with so many records. Beyond 1 is a violation."
    )


def _violations(desk: OperationsDesk, run: MonitorRun) -> None:
    st.subheader("Violations")
    found = desk.known(data.violations, desk.feed.bucket, run)
    if not found:
        st.success("None in this run.", icon=":material/check_circle:")
        return
    rows = [
        {
            "feature": plain(one["feature_name"]),
            "check": plain(one["constraint_check_type"].replace("_", " ")),
            "found": plain(one["description"].removeprefix("Baseline drift ")),
        }
        for one in found
    ]
    st.table(rows, hide_index=True, border="horizontal", alt="Violations of the run, by feature and check")


def _history(desk: OperationsDesk, found: list[MonitorRun]) -> None:
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
        "Features",
        names,
        selection_mode="multi",
        default=names[: min(3, len(names))],
        key="drift-features",
        wrap=True,
    )
    if chosen:
        changed = marks(desk, desk.known(deployments, desk.names.live_parameter))
        runs = [(run.when.timestamp(), run.drifts) for run in judged]
        figure = drift.drift_over_runs(runs, chosen[: drift.MOST_LINES], changed)
        show_chart(figure, "history", "Drift over the monitor's runs, by feature")


def _feature(desk: OperationsDesk, run: MonitorRun) -> None:
    """One feature: its distributions, and the pictures that are least like the test set in it."""
    st.subheader("Test set and traffic")
    then = desk.known(data.baseline, run.version)
    current = desk.known(data.current, desk.feed.bucket, run)
    names = [name for name in BY_NAME if any(p and name in p.features for p in (then, current))]
    if not names:
        st.info("No data: neither a baseline nor this run has distributions.", icon=":material/inbox:")
        return
    drifted = {d.feature: d.severity for d in run.drifts}
    start = max(names, key=lambda name: drifted.get(name, 0.0))
    name = st.selectbox("Feature", names, index=names.index(start), key="drift-feature", width=320)
    before = then.features.get(name) if then else None
    left, right = st.columns(2, gap="medium")
    with left:
        found = data.overlay(name, before, current.features.get(name) if current else None)
        if found is None:
            st.info(f"No data: no value of {name} on either side.", icon=":material/inbox:")
            return
        if found.then is None:
            st.caption("No baseline: nothing is live, or its version was registered without one.")
        st.caption(drift.meaning(name))
        figure = drift.distributions(name, found.edges, found.names, {"baseline": found.then, "traffic": found.now})
        show_chart(figure, "overlay", f"Distribution of {name} in the baseline and in traffic")
    with right, told():
        _pictures(desk, run, name, before, current.features.get(name) if current else None)


def _pictures(
    desk: OperationsDesk, run: MonitorRun, name: str, then: FeatureProfile | None, drifted: FeatureProfile | None
) -> None:
    st.markdown("**The pictures of this run that are least like the test set**")
    table = desk.feed.wait(FIRST_LOOK_SECONDS)
    judged = answered(of_run(table.records, run))
    if not len(judged):
        st.info("No data: none of the run's captured records is there any more.", icon=":material/inbox:")
        return
    with st.spinner("Measuring pictures"):
        found = _unlike(desk, judged, table.files, run.folder, len(judged), name, then, drifted)
    with st.container(horizontal=True, key="drift-pictures"):
        for record, said in zip(found.records, found.said, strict=True):
            with st.container(width=SMALL):
                shown(desk, table.files, record, f"Captured picture, {name} {said}, called {described(desk, record)}")
                st.caption(f"{plain(said)} · {described(desk, record)}")
    which = (
        "Most often on the test set" if name in BY_NAME and BY_NAME[name].kind == "String" else "The test set's median"
    )
    usual = f" {which}: {plain(found.usual)}." if found.usual else ""
    part = f" Sought among {found.looked_at:,} of {plural(found.of, 'record')}." if found.looked_at < found.of else ""
    st.caption(f"Below each its {plain(OF_RECORDS.get(name, name))}, and what the model said.{usual}{part}")


@st.cache_data(max_entries=50, show_spinner=False)
def _unlike(
    _desk: OperationsDesk,
    _judged: Records,
    _files: Sequence[str],
    folder: str,
    records: int,
    name: str,
    _then: FeatureProfile | None,
    _drifted: FeatureProfile | None,
) -> Unlike:
    """`folder` and `records` tell one run, and what was read of its traffic, from another."""
    return unlike(_desk.feed, _judged, _files, _desk.classes, name, _then, _drifted)


def _named(run: MonitorRun) -> str:
    whose = "" if run.version is None else f", version {run.version}"
    return f"{clock(run.when)}{whose}, {VERDICTS[run.outcome][0].lower()}"

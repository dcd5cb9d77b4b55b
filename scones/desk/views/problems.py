"""Open problems: what people were told of and is not over, each with the way to what caused it."""

from __future__ import annotations

import re
from typing import Literal

import streamlit as st

from scones.desk.data import serving
from scones.desk.data.incidents import Incident, incidents
from scones.desk.data.objects import exists
from scones.desk.desk import OperationsDesk
from scones.desk.links import link
from scones.desk.wording import age, clock, now, plain, plural, times

DEPLOY = "Everything comes with `scones infra deploy`."
PICTURES, PAGE = ":material/image_search:", ":material/arrow_forward:"
DETAIL = re.compile(r"^(\w+): Baseline drift .*: (?=[^:]*allowed$)")
"""What stands between a feature and how many times what is allowed it is: the page Drift has it."""
NEXT: dict[str, tuple[str, str, str, dict[str, str]]] = {
    # key of the problem: page, words of the link, its symbol, what is to be shown there
    "drift": ("Drift", "The pictures that are unlike the test set", PICTURES, {"run": "violations"}),
    "low-confidence": ("Review", "The least certain pictures", PICTURES, {}),
    "model-quality": ("Review", "The pictures that the model got wrong", PICTURES, {"order": "wrong"}),
    "capture-rate": ("Confidence", "Requests and what was captured of them", PAGE, {}),
    "no-baseline": ("Models", "The versions and their evaluations", PAGE, {}),
    "monitor-failed": ("Drift", "The monitor's runs", PAGE, {}),
    "endpoint-latency": ("Confidence", "Latency over time", PAGE, {"period": "24 hours"}),
    "endpoint-4xx": ("Confidence", "What was asked and answered", PAGE, {"period": "24 hours"}),
    "endpoint-5xx": ("Models", "What was deployed when", PAGE, {}),
}
"""Where one goes next. Problems that are not here are about machines: their own words say where to look."""


def show_problems(desk: OperationsDesk) -> None:
    """Draw them."""
    st.subheader("Open problems")
    every, wrong = desk.known(incidents, desk.names.bucket)
    live = desk.known(serving.live_version)
    found = [one for one in every if not one.is_over_with(live)]
    if not found and not wrong:
        if desk.known(exists, desk.names.bucket):
            whose = f" of version {live}" if every else ""
            over = f"No open problem{whose}: everything that people were told of is over."
            st.success(over, icon=":material/check_circle:")
        else:
            st.info(f"No data: there is no bucket {desk.names.bucket}. {DEPLOY}", icon=":material/inbox:")
    for one in found:
        _problem(one, "red")
        if one.key in NEXT:
            page, words, icon, shown = NEXT[one.key]
            link(page, words, icon, **shown)
        if one.execution:
            pipeline, execution = one.execution
            link("Pipelines", "Open the execution", ":material/account_tree:", pipeline=pipeline, execution=execution)
    if retired := [one for one in every if one not in found]:
        with st.expander(
            f"{plural(len(retired), 'problem')} of versions that were replaced", icon=":material/history:"
        ):
            for one in retired:
                _problem(one, "gray")
            st.caption(f"Version {live} answers now. The monitor closes them when it has judged its traffic.")
    if wrong:
        st.warning("An object that should hold an open problem cannot be read.", icon=":material/warning:")
        st.code("\n".join(wrong), language=None, wrap_lines=True)


def _problem(one: Incident, colour: Literal["red", "gray"]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(plain(one.key), icon=":material/warning:", color=colour)
        st.markdown(f"**{plain(one.what)}**")
    if one.measured:
        st.markdown("  \n".join(plain(DETAIL.sub(r"\1: ", line)) for line in one.measured))
    since = f"{clock(one.since)}, {age((now() - one.since).total_seconds())}"
    whose = f" Of version {one.version}." if one.version is not None else ""
    st.caption(f"Since {since}; reported {times(one.reported)}, told people {times(one.told)}.{whose}")

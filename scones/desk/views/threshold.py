"""Threshold: what another one would do to real traffic, and changing it."""

from __future__ import annotations

import getpass

import numpy as np
import streamlit as st

from project.errors import SconesError
from scones.desk.charts import show_chart
from scones.desk.data import review, test_set, threshold_effects
from scones.desk.data.records import Records
from scones.desk.data.test_set import Point
from scones.desk.data.threshold_effects import Effect, SortedTraffic
from scones.desk.desk import OperationsDesk, forget_answers
from scones.desk.filters import traffic, unfamiliarity_limit
from scones.desk.refresh import fragment
from scones.desk.wording import NONE, READ_ONLY, clock, measured, plain, plural, problem, share, told
from scones.reports.charts.evaluation import Share, threshold_curve
from scones.reports.charts.layout import Guide
from scones.reports.charts.marks import Interval
from scones.reports.charts.theme import series
from stepfunctions.threshold import Change, back_to, change, current, history

STEP = 0.005
EVALUATION_OLD_SECONDS = 600


def show(desk: OperationsDesk) -> None:
    """Draw the page. What the slider moves is a fragment of its own, over what was sorted and counted before."""
    st.title("Threshold")
    with told():
        parameter = desk.names.threshold_parameter
        present = desk.known(current, parameter)
        because = f", because: {plain(present.why)}" if present.why else ""
        st.markdown(
            f"Deliveries below **{present.value:g}** are not routed. "
            f"Set by {plain(present.who)} at {clock(present.when)}{because}"
        )
        if strange := unfamiliarity_limit(desk):
            st.caption(
                f"Nor are pictures whose unfamiliarity is above {strange.value:g}, however sure the model is. "
                f"Set by {plain(strange.who)} at {clock(strange.when)}; change it with `scones unfamiliarity`."
            )
        desk.known(desk.labels.refresh)
        chosen = traffic(desk, "threshold")
        found = _known(desk, chosen.records)
        tested: tuple[Point, ...] = ()
        if not len(found.labelled):
            tested = desk.known.at_most_old(EVALUATION_OLD_SECONDS, test_set.threshold_curve, chosen.version)
        tune(found, 1 / len(desk.classes), present, parameter if desk.allow_changes else None, tested)
        _history(desk, desk.known(history, parameter))


def _known(desk: OperationsDesk, records: Records) -> SortedTraffic:
    labels = review.labels_of(records, desk.labels.all())
    known = labels >= 0
    right = records["predicted"][known] == labels[known]
    return threshold_effects.traffic(records["confidence"], records["confidence"][known], right)


@fragment()
def tune(
    found: SortedTraffic, chance: float, present: Change, parameter: str | None, tested: tuple[Point, ...] = ()
) -> None:
    """The slider, what the value does, and applying it.

    Args:
        chance: the least confidence that a best guess can have.
        parameter: what an applied value is written to; None when nobody may.
        tested: what the test set says, in the place of labels of live traffic.
    """
    least = min(_on_grid(chance), _on_grid(present.value))
    chosen = st.slider(
        "Try a threshold", least, 1.0, _on_grid(present.value), STEP, format="%.3f", key="threshold-tried"
    )
    if len(found.confidence):
        st.subheader("On captured traffic")
        _effects(found, present.value, chosen, least, tested)
    if tested:
        _test_set(tested, present.value, chosen)
    _apply(present, chosen, parameter)


def _effects(found: SortedTraffic, present: float, chosen: float, least: float, tested: tuple[Point, ...]) -> None:
    now, then = found.effect(present), found.effect(chosen)
    with st.container(horizontal=True, gap="medium", key="effects"):
        st.metric(
            f"Would pass at {chosen:g}",
            share(then.share),
            delta=_unless_same(then.share, now.share, f"{100 * ((then.share or 0) - (now.share or 0)):+.1f} points"),
            delta_color="off",
            width="content",
        )
        st.metric(
            "Pass",
            f"{then.passing:,}",
            delta=_unless_same(then.passing, now.passing, f"{then.passing - now.passing:+,}"),
            delta_color="off",
            width="content",
        )
        st.metric("Below it", f"{then.records - then.passing:,}", width="content")
        st.metric("Right, of labelled ones that pass", share(then.accuracy), width="content")
    st.caption(_rightness(then, test_set.nearest(tested, chosen)))
    _curve([found.effect(float(at)) for at in np.round(np.arange(least, 1 + STEP / 2, STEP), 4)], present, chosen)


def _unless_same(then: float | None, now: float | None, text: str) -> str | None:
    return None if then == now else text


def _rightness(effect: Effect, tested: Point | None) -> str:
    if effect.accuracy is not None:
        return (
            f"Of {plural(effect.labelled, 'labelled record')} that pass, "
            f"{measured(effect.accuracy, effect.low, effect.high, True)} are right, with the 95 % interval. "
            "Labels of the least certain records make this a cautious number."
        )
    unknown = "How right they would be is not known: none of the records that pass has a label. Give some on Review."
    if tested is None or tested.accuracy is None:
        return unknown
    right = measured(tested.accuracy, tested.accuracy_low, tested.accuracy_high, True)
    return f"{unknown} On the test set, {right} of those that pass at {tested.threshold:g} are right."


def _test_set(tested: tuple[Point, ...], present: float, chosen: float) -> None:
    """What the same thresholds did to the test set: all that is known of rightness before anybody labels."""
    st.subheader("On the test set")
    shares = [
        Share("pass", _interval(tested, "share"), series(0)),
        Share("right, of those that pass", _interval(tested, "accuracy"), series(1), dashed=True),
    ]
    counts = [f"{plural(one.images, 'picture')} pass" for one in tested]
    figure = threshold_curve([one.threshold for one in tested], shares, _guides(present, chosen), counts=counts)
    show_chart(figure, "test-curve", "Share of the test set that passes, and is right, at each threshold")
    at = test_set.nearest(tested, chosen)
    if at:
        passing = measured(at.share, at.share_low, at.share_high, True)
        right = measured(at.accuracy, at.accuracy_low, at.accuracy_high, True)
        st.caption(
            f"At {at.threshold:g}, {passing} of the test set pass and {right} of these are right, with 95 % intervals. "
            "Live traffic may differ: labels on Review take this chart's place."
        )


def _interval(tested: tuple[Point, ...], name: str) -> Interval:
    return Interval(*([getattr(one, f"{name}{end}") for one in tested] for end in ("", "_low", "_high")))


def _guides(present: float, chosen: float) -> list[Guide]:
    tried = [Guide(f"tried {chosen:g}", x=chosen, role="ink")] if chosen != present else []
    return [Guide(f"now {present:g}", x=present), *tried]


def _curve(curve: list[Effect], present: float, chosen: float) -> None:
    shares = [Share("pass", [one.share for one in curve], series(0))]
    if any(one.accuracy is not None for one in curve):
        right = Interval([one.accuracy for one in curve], [one.low for one in curve], [one.high for one in curve])
        shares.append(Share("right, of labelled ones that pass", right, series(1), dashed=True))
    counts = [f"{one.passing:,} of {one.records:,} pass, {one.labelled:,} of them labelled" for one in curve]
    figure = threshold_curve([one.threshold for one in curve], shares, _guides(present, chosen), counts=counts)
    show_chart(figure, "curve", "Share of records that pass, and are right, at each threshold")


def _apply(present: Change, chosen: float, parameter: str | None) -> None:
    st.subheader("Apply")
    shut = parameter is None
    with st.form("apply", border=False):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            who = st.text_input("Your name", getpass.getuser(), disabled=shut, key="who", width=220)
            why = st.text_input("Why", disabled=shut, key="why", placeholder="required")
        pressed = st.form_submit_button(
            f"Apply {chosen:g}",
            key="apply-button",
            type="primary",
            disabled=shut or chosen == present.value,
            help=READ_ONLY if shut else f"The threshold is {chosen:g} already." if chosen == present.value else None,
        )
    if parameter is None:
        st.caption(READ_ONLY)
    elif pressed:
        _write(parameter, chosen, present.version, who, why)
    if said := st.session_state.pop("threshold-said", None):
        st.success(said, icon=":material/check_circle:")


def _write(parameter: str, value: float, expected: int, who: str, why: str) -> None:
    try:
        change(parameter, value, expected, who, why)
    except SconesError as error:
        problem(error)
        return
    forget_answers()
    st.session_state["threshold-said"] = f"The threshold is {value:g} now. Functions use it within seconds."
    st.rerun()


def _history(desk: OperationsDesk, changes: list[Change]) -> None:
    st.subheader("History")
    rows = [
        {
            "version": one.version,
            "threshold": f"{one.value:g}",
            "when": clock(one.when),
            "who": plain(one.who),
            "why": plain(one.why) or NONE,
        }
        for one in changes
    ]
    st.table(rows, hide_index=True, border="horizontal", alt="Versions of the threshold: value, time, who and why")
    earlier = [one for one in changes[1:] if one.value != changes[0].value]
    if not earlier:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        back = st.selectbox(
            "Earlier value", earlier, format_func=lambda one: f"{one.value:g} (version {one.version})", width=260
        )
        if st.button(
            "Roll back",
            icon=":material/undo:",
            key="roll-back",
            disabled=not desk.allow_changes,
            help=None if desk.allow_changes else READ_ONLY,
        ):
            who = st.session_state["who"]
            _write(desk.names.threshold_parameter, back.value, changes[0].version, who, back_to(back.version))


def _on_grid(value: float) -> float:
    return round(round(value / STEP) * STEP, 4)

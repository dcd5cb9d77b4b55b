"""Alarms are evaluated by the clock, also when nothing new arrives."""

from __future__ import annotations

import logging
import threading
import time

from ministack.core import responses
from ministack.services import cloudwatch

from localcloud.corrections import alarm_states, seam

BEHAVIOUR = "An alarm is evaluated every minute, one with a period of ten, twenty or thirty seconds every ten seconds."
EVIDENCE = "CloudWatch user guide, 'Evaluating an alarm' and 'High-resolution alarms'."
MINISTACK = "1.5.33"

TICK = 10

_log = logging.getLogger(__name__)


def _run() -> None:
    while True:
        time.sleep(TICK - time.time() % TICK)
        _evaluate_due(minute=time.time() % 60 < TICK)


def _evaluate_due(minute: bool) -> None:
    """Evaluate the alarms of every account and region whose turn it is: the fast ones, and all at a full minute."""
    for (account, region, _), alarm in list(cloudwatch._alarms._data.items()):
        if not minute and alarm_states.period_of(alarm) >= 60:
            continue
        try:
            with responses.request_scope(account, region):
                alarm_states.evaluate(alarm)
        except Exception:
            _log.exception("evaluating alarm %s", alarm.get("AlarmName"))


def apply() -> None:
    """Start the clock. Raises SeamError when MiniStack keeps its alarms in another way."""
    seam.original(__name__, responses, "request_scope", "account_id", "region")
    if not isinstance(cloudwatch._alarms, responses.AccountRegionScopedDict):
        raise seam.SeamError("Correction alarm_clock does not fit this MiniStack: alarms are not kept by region.")
    threading.Thread(target=_run, name="alarm-clock", daemon=True).start()

"""Where MiniStack differs from AWS in what users' code meets: one module per behaviour, applied when MiniStack starts.

A module says what AWS does (`BEHAVIOUR`), how that is known (`EVIDENCE`), the MiniStack version that it was written for
(`MINISTACK`), and has a function `apply()`. That changes names of MiniStack's modules through seam.py, which first
checks that they are what the module was written for, and copies none of its files. A correction is deleted when
MiniStack no longer needs it. How to add one: CONTRIBUTING.md.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass

TESTED_MINISTACK = "1.5.33"
"""The version that all corrections are tested with."""
ANY_MINISTACK = "LOCALCLOUD_ANY_MINISTACK"
"""Variable of the user's shell: with any value, another version of MiniStack is started too."""
MODULES = (
    "function_results",
    "private_folders",
    "runtime_libraries",
    "invoke_payloads",
    "waiting_for_functions",
    "idle_functions",
    "alarm_states",
    "metric_math",
    "composite_alarms",
    "alarm_clock",
    "alarm_events",
    "s3_managed_key",
    "s3_key_encoding",
    "bucket_properties",
    "request_resources",
    "denial_messages",
    "role_boundaries",
    "passed_roles",
    "pipeline_targets",
    "target_roles",
)
"""The modules of this package that are corrections, in the order in which they are applied."""


@dataclass(frozen=True)
class Correction:
    """One behaviour in which MiniStack is made the same as AWS."""

    name: str
    """Its module here."""
    behaviour: str
    """What AWS does, and MiniStack does not."""
    evidence: str
    """How AWS's behaviour is known: documentation, service model, source or recording."""
    ministack: str
    """The version of MiniStack that it was written for."""


def corrections() -> tuple[Correction, ...]:
    """All corrections, in the order in which they are applied; MiniStack must be installed."""
    found = []
    for name in MODULES:
        module = importlib.import_module(f"{__name__}.{name}")
        found.append(Correction(name, module.BEHAVIOUR, module.EVIDENCE, module.MINISTACK))
    return tuple(found)


def apply_corrections() -> None:
    """Apply all of them to the MiniStack of this process, before it serves.

    Raises:
        SeamError: MiniStack has changed where one of them takes hold; the message names it.
    """
    for name in MODULES:
        importlib.import_module(f"{__name__}.{name}").apply()


def is_tested(version: str) -> bool:
    """Whether MiniStack of that version may be started: it is the tested one, or the user's shell says any."""
    return version == TESTED_MINISTACK or bool(os.environ.get(ANY_MINISTACK))

"""What `scones approve` and `scones reject` say beforehand."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipelines.registry import Version
from pipelines.runs.in_service import InService, after_approval, after_rejection

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("served", "coming", "let_in", "approved", "said"),
    [
        ("2", None, "2", "12", "Version 2 is live: the deploy workflow puts version 1 back."),
        ("1", "2", "1", "12", "Version 2 is being deployed: the deploy workflow puts version 1 back."),
        (None, "2", None, "2", "being deployed, and no other version is approved: the deploy workflow deletes the"),
        ("2", None, "2", "2", "live, and no other version is approved: the deploy workflow deletes the endpoint."),
        ("1", None, "1", "12", "Version 2 is neither live nor being deployed: the endpoint stays as it is."),
        (None, None, "2", "12", "switched off: it is forgotten, and nothing is started."),
    ],
)
def test_a_rejection_says_what_follows_from_it(
    served: str | None, coming: str | None, let_in: str | None, approved: str, said: str
) -> None:
    there = [Version(n, int(n), "Approved" if n in approved else "Rejected", NOW) for n in ("2", "1")]
    assert said in after_rejection(there[0], there, InService(served, coming, let_in))


@pytest.mark.parametrize(
    ("served", "coming", "let_in", "approved", "said"),
    [
        ("1", None, "1", "1", "puts version 2 in the place of version 1: beside it first"),
        (None, "1", None, "1", "puts version 2 in the place of version 1"),
        (None, None, None, "", "makes the endpoint with version 2; it bills by the hour"),
        ("3", None, "3", "3", "Version 3 is approved and newer: version 2 is not deployed."),
        ("2", None, "2", "2", "Version 2 is live already: the endpoint stays as it is."),
    ],
)
def test_an_approval_says_what_follows_from_it(
    served: str | None, coming: str | None, let_in: str | None, approved: str, said: str
) -> None:
    there = [Version(n, int(n), "Approved" if n in approved else "Rejected", NOW) for n in ("3", "2", "1")]
    assert said in after_approval(there[1], there, InService(served, coming, let_in))

"""Sessions of roles outlive MiniStack's process: jobs that run on must not become strangers."""

from __future__ import annotations

from pathlib import Path

import pytest
from ministack.services import sts
from role_support import ACCOUNT

from localcloud.roles import decisions, sessions

ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/kept"
SERVICE = "sagemaker.amazonaws.com"


def test_a_session_is_known_again_after_a_restart_even_behind_a_line_that_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "role-sessions.jsonl"
    monkeypatch.setattr(sessions, "_MADE", {})
    monkeypatch.setattr(sessions, "_FILE", [])
    monkeypatch.setattr(sts, "_sessions", {})
    sessions.keep_in(file)
    made = sessions.session(ROLE, SERVICE, "SageMaker")
    assert sessions.session(ROLE, SERVICE, "SageMaker") == made
    with file.open("a") as kept:
        kept.write('{"role": "arn:aws:')

    monkeypatch.setattr(sessions, "_MADE", {})
    monkeypatch.setattr(sts, "_sessions", {})
    with pytest.raises(decisions.UnknownKeyError):
        decisions.owner(made["key"], ACCOUNT)
    sessions.keep_in(file)
    assert decisions.owner(made["key"], ACCOUNT).arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/kept/SageMaker"
    assert sessions.session(ROLE, SERVICE, "SageMaker") == made
    other = sessions.session(ROLE, "states.amazonaws.com", "StepFunctions")
    monkeypatch.setattr(sts, "_sessions", {})
    sessions.keep_in(file)
    assert decisions.owner(other["key"], ACCOUNT).arn.endswith("/kept/StepFunctions")

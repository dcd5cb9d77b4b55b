"""Credentials of a role for a service that assumed it. They are kept in a file: jobs outlive a restart of MiniStack."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

from ministack.services import iam, sts

_MADE: dict[tuple[str, str], dict[str, str]] = {}
_FILE: list[Path] = []


def keep_in(file: Path) -> None:
    """Keep sessions in `file` from now on, and let those that are in it be known again.

    A line that was cut off when MiniStack was killed is nobody's session yet.
    """
    _FILE[:] = [file]
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        try:
            one = json.loads(line)
        except ValueError:
            continue
        _MADE[one["role"], one["service"]] = one
        _register(one)


def session(role: str, service: str, name: str) -> dict[str, str]:
    """A session of the role: the same one for the service every time, with `key`, `secret` and `token`."""
    if (role, service) not in _MADE:
        made = {
            "role": role,
            "service": service,
            "name": name,
            "key": iam._gen_session_access_key(),
            "secret": secrets.token_hex(20),
            "token": secrets.token_hex(32),
        }
        _register(made)
        if _FILE:
            with _FILE[0].open("a", encoding="utf-8") as file:
                file.write("\n" + json.dumps(made) + "\n")  # the last line may have been cut off
        _MADE[role, service] = made
    return _MADE[role, service]


def session_arn(role: str, name: str) -> str:
    """Who acts: `arn:aws:sts::<account>:assumed-role/<role>/<session>`."""
    return f"arn:aws:sts::{role.split(':')[4]}:assumed-role/{role.rpartition('/')[2]}/{name}"


def _register(one: dict[str, Any]) -> None:
    name = one["role"].rpartition("/")[2]
    known = {
        "Arn": session_arn(one["role"], one["name"]),
        "UserId": f"{name}:{one['name']}",
        "SecretAccessKey": one["secret"],
        "SessionToken": one["token"],
        "AccountId": one["role"].split(":")[4],
        "PrincipalType": "AssumedRole",
    }
    sts.register_session(one["key"], known)

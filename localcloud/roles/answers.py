"""The path on MiniStack's port at which the other parts ask about roles; client.py is its other end.

`session`: credentials of a role for a service that its trust policy lets in. `check`: whether who has an access key, or
a role that a service assumed, may do something. Whatever is refused is answered with 403 and the reason.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from localcloud.door import Application
from localcloud.environment import ROLES_PATH
from localcloud.inner_paths import with_path
from localcloud.roles import decisions, sessions
from localcloud.roles.trust import trusts


def with_roles(app: Application, account: str = "000000000000") -> Application:
    """`app`, and the path; the door is before both."""

    def answer(_: Mapping[str, str], body: bytes) -> Response:
        asked = json.loads(body)
        status, said = _session(asked) if asked["do"] == "session" else _check(asked, account)
        return JSONResponse(said, status)

    return with_path(app, ROLES_PATH, answer)


def _session(asked: dict[str, Any]) -> tuple[int, dict[str, str]]:
    if not trusts(asked["role"], asked["service"], asked["region"], asked.get("source", "")):
        return 403, {"code": "Trust", "message": f"{asked['service']} may not assume {asked['role']}."}
    return 200, sessions.session(asked["role"], asked["service"], asked["name"])


def _check(asked: dict[str, Any], account: str) -> tuple[int, dict[str, str]]:
    try:
        who = (
            decisions.assumed(asked["role"], asked["name"])
            if "role" in asked
            else decisions.owner(asked["key"], account)
        )
    except decisions.UnknownKeyError as error:
        return 403, {"code": "UnrecognizedClientException", "message": str(error)}
    for one in asked["checks"]:
        told = decisions.denial(who, one["action"], one["resource"], asked["region"], one.get("context", {}))
        if told:
            return 403, {"code": "AccessDeniedException", "message": told}
    return 200, {}

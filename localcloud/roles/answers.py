"""The path on MiniStack's port at which the other parts ask about roles; client.py is its other end.

`session`: credentials of a role for a service that its trust policy lets in. `check`: whether who has an access key, or
a role that a service assumed, may do something. Whatever is refused is answered with 403 and the reason.
"""

from __future__ import annotations

import json
from typing import Any

from localcloud.door import Application, Message, Receive, Scope, Send
from localcloud.environment import ROLES_PATH
from localcloud.roles import decisions, sessions
from localcloud.roles.trust import trusts


def with_roles(app: Application, account: str = "000000000000") -> Application:
    """`app`, and the path; the door is before both."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != ROLES_PATH or scope["method"] != "POST":
            await app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message: Message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        asked = json.loads(body)
        status, answer = _session(asked) if asked["do"] == "session" else _check(asked, account)
        text = json.dumps(answer).encode()
        pairs = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(text))]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": text})

    return application


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

"""The door of the desk: its own pages get in, and another site's page gets neither an answer nor a frame.

The desk is read, and with `--allow-changes` steered, by whoever reaches its port, and a browser here reaches it with
requests of any page that it shows. Three headers that a browser sets, and that a page cannot change, tell who asks:
`Host` is the name in the address, `Origin` the page that fetches, posts or opens a WebSocket, `Sec-Fetch-Site` the page
behind pictures, frames and scripts too (W3C, "Fetch Metadata Request Headers"). Only a link, or an address that is
typed, may come from elsewhere: it shows the desk in a tab of its own and gives nothing to the page it stood on.

What is refused is answered with 403 before anything is read. Every answer forbids frames (W3C, "Content Security Policy
Level 3", frame-ancestors; X-Frame-Options is the same for old browsers).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

NAMES = ("127.0.0.1", "localhost")
"""Names in the address bar that are served: another one that leads here is somebody else's page."""
NO_FRAMES = [
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"x-frame-options", b"DENY"),
]
_OURS = {name for name, _ in NO_FRAMES}
_CORS = b"access-control-"


def guarded(app: Application) -> Application:
    """`app` behind the door; the port that a Host must name is the one that the connection came in by."""

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
        elif _is_ours(scope):
            await app(scope, receive, _unframed(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "Other sites' pages are refused."})
        else:
            await _refuse(send)

    return door


def _is_ours(scope: Scope) -> bool:
    """Whether a page of the desk asks, or somebody who opens it in a tab, or a program."""
    headers = dict(scope["headers"])
    port = scope["server"][1]
    hosts = {f"{name}:{port}".encode() for name in NAMES}
    host = headers.get(b"host", b"").lower()
    if host not in hosts:
        return False
    if b"origin" in headers and headers[b"origin"].lower() != b"http://" + host:
        return False
    site = headers.get(b"sec-fetch-site", b"none")
    return site in (b"none", b"same-origin") or (
        scope.get("method") == "GET"
        and headers.get(b"sec-fetch-mode") == b"navigate"
        and headers.get(b"sec-fetch-dest") == b"document"
    )


async def _refuse(send: Send) -> None:
    body = b"Requests of other sites' pages, and under another name than 127.0.0.1 or localhost, are refused.\n"
    pairs = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body)), *NO_FRAMES]
    await send({"type": "http.response.start", "status": 403, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


def _unframed(send: Send) -> Send:
    async def send_unframed(message: Message) -> None:
        if message["type"] == "http.response.start":
            found = [(name.lower(), value) for name, value in message.get("headers", ())]
            kept = [pair for pair in found if pair[0] not in _OURS and not pair[0].startswith(_CORS)]
            message = {**message, "headers": [*kept, *NO_FRAMES]}
        await send(message)

    return send_unframed

"""The door of every port of the local cloud: programs of this machine get in, and web pages do not.

Whoever reaches a port acts as this user, and a browser here reaches them all, with a request of any page that it shows.
A page can read no answer of another origin, but it need not: creating a Lambda function is enough. Three headers that
a browser sets, and that a page cannot change, give it away:

- `Origin`, with every POST, fetch, preflight and WebSocket. No AWS client sends one.
- `Sec-Fetch-Site`, also with pictures, frames, links and forms, which send no Origin (W3C, "Fetch Metadata Request
  Headers"). `none` means that the user typed the address: a GET, such as of a presigned URL, is let in.
- `Host`, the name in the page's address: a page whose own name leads to 127.0.0.1 (DNS rebinding) is of one origin
  with the port, and all that is left to tell it by is that name.

A request is judged by its headers before anything of its body is read. Nor does an answer give leave to another
origin: the CORS headers that a service adds are taken away.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_HERE = re.compile(rb"(?:127\.0\.0\.1|\[::1\]|(?:[a-z0-9.-]+\.)?localhost)(?::(\d{1,5}))?", re.IGNORECASE)
"""This machine and a port. Buckets and APIs have names of their own below `localhost`, which is nobody else's to give
out (RFC 6761, section 6.3)."""
_DEFAULT_PORT = b"80"
_CORS = b"access-control-"


def guarded(app: Application) -> Application:
    """`app` behind the door; what a request must be is in the module's description.

    The port that a Host must name is the one that the connection came in by. What is refused is answered with 403 and
    AWS's error form, or as a WebSocket's handshake that failed.
    """

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        reason = _objection(scope, headers)
        if reason is None:
            await app(scope, receive, _without_cors(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": reason})
        else:
            await _refuse(send, headers, reason)

    return door


def _objection(scope: Scope, headers: dict[bytes, bytes]) -> str | None:
    """Why the request is refused, or None."""
    if b"origin" in headers:
        return "Requests from web pages are refused."
    site = headers.get(b"sec-fetch-site")
    if site is not None and not (site == b"none" and scope.get("method") in ("GET", "HEAD")):
        return "Requests from web pages are refused."
    port = scope["server"][1]
    here = _HERE.fullmatch(headers.get(b"host", b""))
    if here is None or int(here[1] or _DEFAULT_PORT) != port:
        return f"Requests to another host are refused. This one is http://127.0.0.1:{port}."
    return None


async def _refuse(send: Send, headers: dict[bytes, bytes], reason: str) -> None:
    if b"x-amz-target" in headers or b"json" in headers.get(b"content-type", b""):
        code, kind = b"AccessDeniedException", b"application/x-amz-json-1.1"
        body = json.dumps({"__type": code.decode(), "message": reason}).encode()
    else:
        code, kind = b"AccessDenied", b"application/xml"
        error = f"<Code>{code.decode()}</Code><Message>{reason}</Message>"
        body = f"<ErrorResponse><Error>{error}</Error></ErrorResponse>".encode()
    pairs = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), (b"x-amzn-errortype", code)]
    await send({"type": "http.response.start", "status": 403, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


def _without_cors(send: Send) -> Send:
    async def send_without(message: Message) -> None:
        if headers := message.get("headers"):
            kept = [pair for pair in headers if not pair[0].lower().startswith(_CORS)]
            message = {**message, "headers": kept}
        await send(message)

    return send_without

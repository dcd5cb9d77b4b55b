"""Paths on MiniStack's port at which the parts of the local cloud ask and tell each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from localcloud.door import Application, Receive, Scope, Send

Answer = Callable[[Mapping[str, str], bytes], Response]
"""From the headers and the body of a request."""


def with_path(app: Application, path: str, answer: Answer) -> Application:
    """`app`, and a path whose POST requests are answered by `answer`; the door is before both."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != path or scope["method"] != "POST":
            await app(scope, receive, send)
            return
        request = Request(scope, receive)
        await answer(request.headers, await request.body())(scope, receive, send)

    return application

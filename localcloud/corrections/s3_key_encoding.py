"""A key that is no UTF-8, such as one with half of a surrogate pair, is refused and not stored under another name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.sax.saxutils import escape

from ministack import app as ministack_app

from localcloud.corrections import seam

BEHAVIOUR = "A request whose path is not UTF-8 once it is decoded is answered 400 InvalidURI."
EVIDENCE = (
    "S3 API reference, list of error codes: InvalidURI, 'The specified URI couldn't be parsed'; user guide, naming of "
    "objects: a key is a sequence of Unicode characters whose UTF-8 encoding is at most 1,024 bytes long."
)
MINISTACK = "1.5.33"


def is_text(raw_path: bytes) -> bool:
    """Whether the path of a request (still percent-encoded) decodes to text."""
    try:
        unquote_to_bytes(raw_path).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _refuse(original: Callable[..., Any]) -> Callable[..., Any]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("raw_path") or b""
        if scope["type"] != "http" or is_text(path):
            await original(scope, receive, send)
            return
        shown = escape(path.decode("latin-1"))
        body = "<?xml version='1.0' encoding='UTF-8'?>\n<Error><Code>InvalidURI</Code>"
        body += f"<Message>Couldn't parse the specified URI.</Message><URI>{shown}</URI></Error>"
        headers = [(b"content-type", b"application/xml"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 400, "headers": headers})
        await send({"type": "http.response.body", "body": body.encode()})

    return app


def apply() -> None:
    """Raises SeamError when MiniStack's application is another one."""
    seam.replace(__name__, ministack_app, "app", "scope", "receive", "send", by=_refuse)

"""Reading the body of an HTTP request up to a limit."""

from __future__ import annotations

from starlette.requests import Request


class BodyTooLongError(Exception):
    """The body has more bytes than are taken; `size` is how many."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"{size} bytes")


async def read_body(request: Request, most: int) -> bytes:
    """The request's body. One that is too long is read to its end, so that the client gets to see the answer.

    Raises:
        BodyTooLongError: it has more than `most` bytes.
        starlette.requests.ClientDisconnect: the client closed the connection before the end.
    """
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size <= most:
            parts.append(part)
    if size > most:
        raise BodyTooLongError(size)
    return b"".join(parts)

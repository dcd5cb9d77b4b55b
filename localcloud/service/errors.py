"""Errors in the form that AWS answers with: a code, a message and an HTTP status."""

from __future__ import annotations

import errno
import sqlite3


class ServiceError(Exception):
    """An error response of a service's API."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        self.code = code
        self.message = message
        self.status = status
        super().__init__(f"{code}: {message}")


def validation(message: str) -> ServiceError:
    """The request is well-formed and cannot be accepted."""
    return ServiceError("ValidationException", message)


def disk_is_full(error: BaseException) -> bool:
    """Whether that is what an error of the system or of SQLite says."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL

"""Errors in the form that AWS answers with: a code, a message and an HTTP status."""

from __future__ import annotations


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

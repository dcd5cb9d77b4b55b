"""Errors in the form that AWS answers with: a code, a message and an HTTP status."""

from __future__ import annotations


class ServiceError(Exception):
    """An error response of the SageMaker API."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        self.code = code
        self.message = message
        self.status = status
        super().__init__(f"{code}: {message}")


def own_fault(error: Exception) -> str:
    """The reason of what ends because our own code failed: not the service's error, so that nobody tries it again."""
    return f"the local SageMaker failed: {type(error).__name__}: {error}; see its log"


def validation(message: str) -> ServiceError:
    """The request is well-formed and cannot be accepted."""
    return ServiceError("ValidationException", message)


def not_found(message: str) -> ServiceError:
    """An operation whose model declares ResourceNotFound did not find the resource."""
    return ServiceError("ResourceNotFound", message)


def in_use(message: str) -> ServiceError:
    """A resource of that name exists, or the resource is busy."""
    return ServiceError("ResourceInUse", message)


def conflict(message: str) -> ServiceError:
    """The resource's state does not allow the request."""
    return ServiceError("ConflictException", message)

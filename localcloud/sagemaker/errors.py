"""The errors that operations of SageMaker answer with, and the reason of what our own code failed to do."""

from __future__ import annotations

from localcloud.service.errors import ServiceError, disk_is_full, validation

__all__ = ["ServiceError", "bad_token", "conflict", "in_use", "not_found", "own_fault", "validation"]


def own_fault(error: Exception) -> str:
    """The reason of what ends because our own code failed: not the service's error, so that nobody tries it again."""
    if disk_is_full(error):
        return f"the disk of the local SageMaker is full: {error}; free space on it"
    return f"the local SageMaker failed: {type(error).__name__}: {error}; see its log"


def bad_token() -> ServiceError:
    """A List operation got a NextToken that it has not given."""
    return validation("The NextToken of the request is invalid: this operation has not given it.")


def not_found(message: str) -> ServiceError:
    """An operation whose model declares ResourceNotFound did not find the resource."""
    return ServiceError("ResourceNotFound", message)


def in_use(message: str) -> ServiceError:
    """A resource of that name exists, or the resource is busy."""
    return ServiceError("ResourceInUse", message)


def conflict(message: str) -> ServiceError:
    """The resource's state does not allow the request."""
    return ServiceError("ConflictException", message)

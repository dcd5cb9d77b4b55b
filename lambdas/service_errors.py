"""botocore's exceptions sorted into the outcomes: throttled, timed out and unavailable are told apart from the rest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    HTTPClientError,
    ParamValidationError,
    ReadTimeoutError,
)

from lambdas.outcomes import BadInputError, FailedError, OutcomeError, RetryableError

THROTTLED = {
    "LimitExceededException",
    "ModelNotReadyException",  # 429: the runtime is still loading the model
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
}
TIMED_OUT = {"RequestTimeout", "RequestTimeoutException"}
MISSING_OBJECT = {"NoSuchKey", "404", "NotFound"}
DENIED = {"AccessDenied", "AccessDeniedException", "403", "Forbidden"}


@contextmanager
def calling(doing: str) -> Iterator[None]:
    """Turn what botocore raises inside the block into an outcome; `doing` says what was being done to which object.

    Raises:
        RetryableError: the service throttled, timed out, answered 5xx or dropped the connection.
        BadInputError: what was asked for does not exist, or the model refused the picture.
        FailedError: permissions, a missing endpoint or parameter, or anything else that would fail again.
    """
    try:
        yield
    except ClientError as error:
        raise _refused(error, doing) from error
    except (ReadTimeoutError, ConnectTimeoutError) as error:
        raise RetryableError("TimedOut", f"{doing}: {error}") from error
    except HTTPClientError as error:
        raise RetryableError("Unavailable", f"{doing}: {error}") from error
    except ParamValidationError as error:
        raise BadInputError("RequestRefused", f"{doing}: {error}") from error
    except BotoCoreError as error:
        raise FailedError(type(error).__name__, f"{doing}: {error}") from error


def _refused(error: ClientError, doing: str) -> OutcomeError:
    code = str(error.response.get("Error", {}).get("Code", "Unknown"))
    message = str(error.response.get("Error", {}).get("Message", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    problem = f"{doing}: {code}: {message}"
    if code == "ModelError":
        return _model_refused(int(error.response.get("OriginalStatusCode") or 0), problem)
    if code in THROTTLED or status == 429:
        return RetryableError("Throttled", problem)
    if code in TIMED_OUT or status in {408, 504}:
        return RetryableError("TimedOut", problem)
    if status >= 500:
        return RetryableError("Unavailable", problem)
    if code in MISSING_OBJECT:
        return BadInputError("ImageNotFound", problem)
    if code == "NoSuchBucket":
        return BadInputError("BucketNotFound", problem)
    if code in DENIED:
        return FailedError("AccessDenied", problem)
    return FailedError(code if code.isidentifier() else "ServiceRefused", problem)


def _model_refused(original_status: int, problem: str) -> OutcomeError:
    """A ModelError carries the container's own status; none at all means that the container did not answer in time."""
    if original_status == 429:
        return RetryableError("Throttled", problem)
    if original_status in {0, 408, 504}:
        return RetryableError("TimedOut", problem)
    if original_status >= 500:
        return RetryableError("Unavailable", problem)
    return BadInputError("ModelRefusedImage", problem)

"""Names and ARNs: which are valid, and what an ARN is of."""

from __future__ import annotations

import re

from localcloud.stepfunctions.protocol import ServiceError

LONGEST = 80
_FORBIDDEN = re.compile(r'[\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]')
"""White space, brackets, wildcards, special and control characters (API reference, CreateActivity)."""


def check_name(name: str) -> str:
    """`name`, when AWS takes it for a state machine, an activity or an execution.

    Raises:
        ServiceError: InvalidName.
    """
    if not 1 <= len(name) <= LONGEST or _FORBIDDEN.search(name):
        raise ServiceError("InvalidName", f"Invalid Name: '{name}'")
    return name


def check_arn(arn: str, *kinds: str) -> str:
    """`arn`, when it is a Step Functions ARN of one of the `kinds` ("stateMachine", "execution", "express" …).

    Raises:
        ServiceError: InvalidArn.
    """
    if not arn.startswith("arn:"):
        raise ServiceError("InvalidArn", f"Invalid Arn: 'Invalid ARN prefix: {arn}'")
    parts = arn.split(":", 6)
    if len(parts) != 7 or parts[2] != "states" or not parts[6]:
        raise ServiceError("InvalidArn", f"Invalid Arn: '{arn}'")
    if parts[5] not in kinds:
        raise ServiceError("InvalidArn", f"Invalid Arn: 'Resource type not valid in this context: {parts[5]}'")
    return arn


def unqualified(arn: str) -> str:
    """The ARN of the state machine of which `arn` is a version or an alias, or `arn` itself."""
    return ":".join(arn.split(":")[:7])


def qualifier(arn: str) -> str:
    """The version's number or the alias's name, "" without."""
    return "".join(arn.split(":")[7:8])

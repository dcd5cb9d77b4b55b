"""The permissions boundary: the most that any role of the project's stack may do, whatever its own policies say.

infra/ci.yaml makes it, because builds change the stack's roles: a commit must not be able to give them more than that.
Every deploy looks for it, by whomever, so nobody has to remember it. Without infra/ci.yaml there is none: then only
people change roles.
"""

from __future__ import annotations

from project import aws
from project.names import Names


def found(names: Names) -> str:
    """ARN of the boundary in this account, empty when it has none.

    Raises:
        CloudError: IAM does not say, for instance because the caller may not ask (`iam:GetPolicy`).
    """
    client = aws.client("iam")
    arn = f"arn:{client.meta.partition}:iam::{names.account}:policy/{names.settings.project}-boundary"
    with aws.explained(f"looking for policy {arn}"):
        try:
            client.get_policy(PolicyArn=arn)
        except client.exceptions.NoSuchEntityException:
            return ""
    return arn

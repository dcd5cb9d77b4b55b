"""Every role may do what its code does, and nothing of what nobody should.

IAM's simulator judges what role_needs.py says by the template's policies. A policy that lacks an action fails the test
by name.
"""

from __future__ import annotations

from typing import Any

import pytest
from iam_support import ROLES, allows, listed, refused, statements, without
from role_needs import NEEDED, NOBODY


def test_every_role_of_the_template_is_accounted_for() -> None:
    assert set(ROLES) == set(NEEDED)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_what_its_code_does(iam: Any, role: str) -> None:
    assert refused(iam, statements(role), NEEDED[role]) == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_nothing_of_what_nobody_should(iam: Any, role: str) -> None:
    assert [str(one) for one in NOBODY if allows(iam, statements(role), one)] == []


@pytest.mark.parametrize("role", ROLES)
def test_a_policy_that_lacks_an_action_is_found_and_the_action_named(iam: Any, role: str) -> None:
    needed = {request.action: request for request in NEEDED[role]}
    for action, request in needed.items():
        found = refused(iam, without(statements(role), action), [request])
        assert [one.split(" on ")[0] for one in found] == [action]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_no_action_that_nothing_calls(role: str) -> None:
    """Least privilege: what is allowed is needed, or its reason stands here."""
    allowed = {action for statement in statements(role) for action in listed(statement["Action"])}
    spare = {
        "PipelineRole": {
            "s3:AbortMultipartUpload",  # a container that dies in an upload
            "sagemaker:ListTags",  # Pipelines reads them when it tags
            "logs:DescribeLogStreams",  # the containers' log agent
        },
        "ModelRole": {
            "s3:ListBucket",  # a missing model is told from a forbidden one
            "ecr:BatchCheckLayerAvailability",
            "ecr:GetDownloadUrlForLayer",  # pulling an image takes all three
            "logs:DescribeLogStreams",
        },
    }
    assert allowed - {request.action for request in NEEDED[role]} == spare.get(role, set())

"""The desk in the name of people who have the policies of infra/desk.yaml and nothing else, where roles are enforced.

What its own code calls is read from the source (tests/infra/test_desk_policies.py); here AWS's answers decide.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest
from cloud_fixtures import LocalCloud
from dashboard_support import Project, Sit
from iam_support import DESK, PROJECT, resolved
from page_support import healthy, page
from role_support import Account

from pipelines import registry
from project.errors import CloudError
from scones.desk import desk
from scones.desk.app import PAGES
from stepfunctions import threshold


@pytest.fixture(autouse=True)
def own_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3's default session has read its credentials once and for all."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


def somebody(project: Project, cloud: LocalCloud, *policies: str) -> Project:
    """The project as somebody sees it whose role has these policies."""
    documents = [resolved(DESK["Resources"][name]["Properties"]["PolicyDocument"]) for name in policies]
    statements = [one for document in documents for one in document["Statement"]]
    statements = json.loads(json.dumps(statements).replace(PROJECT, project.name))
    account = Account(cloud)
    role = account.role(f"{project.name}-{'-'.join(policies).lower()}", "", *statements)
    given = account("sts").assume_role(RoleArn=role, RoleSessionName="desk")["Credentials"]
    keys = {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }
    return replace(project, variables={**project.variables, **keys})


def test_who_may_look_sees_every_page_and_changes_nothing(busy: Project, local_cloud: LocalCloud, at_desk: Sit) -> None:
    at_desk(somebody(busy, local_cloud, "Reader"), True)
    for title, *_ in PAGES:
        healthy(page(title))
    for attempt in changes(busy):
        with pytest.raises(CloudError, match="AccessDenied"):
            attempt()


def test_who_may_change_things_does_what_the_desk_offers_and_no_more(
    busy: Project, local_cloud: LocalCloud, at_desk: Sit
) -> None:
    at_desk(somebody(busy, local_cloud, "Reader", "Changes"), True)
    for attempt in changes(busy):
        attempt()
    parameter = desk.desk().names.unfamiliarity_parameter
    before = threshold.current(parameter, threshold.UNFAMILIARITY)
    with pytest.raises(CloudError, match="AccessDenied"):
        threshold.change(parameter, 0.5, before.version, "ana", "because", threshold.UNFAMILIARITY)


def changes(project: Project) -> list[Callable[[], Any]]:
    """A label and its end, the threshold (as it was), a decision (as it was)."""
    found = desk.desk()
    parameter = found.names.threshold_parameter
    before = threshold.current(parameter)
    version = registry.choose(project.name, "1", "Rejected", again=True)
    return [
        lambda: found.labels.undo(found.labels.give(f"{project.name}-AllTraffic-1-0", 1, "ana")),
        lambda: threshold.change(parameter, before.value, before.version, "ana", "because"),
        lambda: registry.decide(version, "Rejected", registry.signed("ana", "because")),
    ]

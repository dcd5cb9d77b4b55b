"""The endpoint switched off and on again. Its configuration and model stay, so nothing is lost and nothing bills.

The monitor goes and comes with it: SageMaker deletes no endpoint that has a monitoring schedule.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from infra.changesets import wait_until_done
from project import aws
from project.errors import CloudError
from project.names import Names
from project.waiting import going_on

AskMonitor = Callable[[str], dict[str, Any]]
"""Attaches or detaches the monitor's schedule and answers with a message."""
IN_FLIGHT = {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}


def described(name: str) -> dict[str, Any] | None:
    """The endpoint's description, or None when there is none of this name."""
    with aws.explained(f"looking for endpoint {name}"):
        try:
            found: dict[str, Any] = aws.client("sagemaker").describe_endpoint(EndpointName=name)
        except ClientError as error:
            if "Could not find" in error.response["Error"].get("Message", ""):
                return None
            raise
    return found


def wait_until_settled(name: str, say: Callable[[str], None]) -> dict[str, Any] | None:
    """The endpoint's description once nothing is under way, None when it is gone; changes of status are told."""
    last = ""
    with going_on(f"Endpoint {name} goes on changing; give the same command again to wait for it."):
        for _ in wait_until_done(f"waiting for endpoint {name}"):
            found = described(name)
            if found is None or found["EndpointStatus"] not in IN_FLIGHT:
                break
            if found["EndpointStatus"] != last:
                last = found["EndpointStatus"]
                say(f"Endpoint {name} is {last}.")
    return found


def delete(name: str, say: Callable[[str], None]) -> None:
    """Delete the endpoint alone and wait until it is gone. SageMaker refuses to while it changes: wait for that too."""
    if wait_until_settled(name, say) is None:
        return
    with aws.explained(f"deleting endpoint {name}"):
        aws.client("sagemaker").delete_endpoint(EndpointName=name)
    wait_until_settled(name, say)


def stop(names: Names, say: Callable[[str], None], monitor: AskMonitor) -> bool:
    """Switch the endpoint off; False when it is off already.

    Raises:
        CloudError: it serves another configuration than the one that `start` would bring back.
    """
    live = wait_until_settled(names.endpoint, say)
    if live is None:
        return False
    remembered = _remembered(names)
    if live["EndpointConfigName"] != remembered:
        raise CloudError(
            f"Endpoint {names.endpoint} serves {live['EndpointConfigName']}, and {names.live_parameter} remembers "
            f"{remembered or 'none'}: it could not be switched on again.",
            "Deploy a version first (scones approve --again --wait), or delete everything (scones cleanup).",
        )
    say(monitor("detach")["message"])
    delete(names.endpoint, say)
    return True


def start(names: Names, say: Callable[[str], None], monitor: AskMonitor) -> bool:
    """Switch the endpoint on with the configuration that it had, and wait until it serves; False if it does already.

    Raises:
        CloudError: no version was ever live, it is not approved any more, its configuration is gone, or the endpoint
            fails.
    """
    if wait_until_settled(names.endpoint, say) is not None:
        return False
    config = _remembered(names)
    if config is None:
        raise CloudError(f"Endpoint {names.endpoint}: no version was live yet.", "Approve one: scones approve --wait.")
    _refuse_unapproved(_live_model(names)["model_package_arn"])
    with aws.explained(f"switching endpoint {names.endpoint} on with {config}"):
        try:
            aws.client("sagemaker").create_endpoint(EndpointName=names.endpoint, EndpointConfigName=config)
        except ClientError as error:
            if not aws.already_exists(error):  # else somebody else switched it on just now
                raise
    live = wait_until_settled(names.endpoint, say)
    if live is None or live["EndpointStatus"] != "InService":
        found = "gone" if live is None else f"{live['EndpointStatus']}: {live.get('FailureReason', 'no reason given')}"
        raise CloudError(f"Endpoint {names.endpoint} is {found}.", "Approve a version: scones approve --again --wait.")
    say(monitor("attach")["message"])
    if _live_model(names).get("max_instances"):
        say(_let_it_grow(names))
    return True


def _let_it_grow(names: Names) -> str:
    """Its registration with Application Auto Scaling went with the endpoint; the function Deploy makes it again."""
    asked = {"step": "scale", "plan": {"endpoint": names.endpoint}}
    answer = aws.ask_function(f"{names.settings.project}-deploy", "let the endpoint grow", asked)
    if answer["outcome"] == "failed":
        raise CloudError(f"Endpoint {names.endpoint} is on, and its instance count does not follow: {answer['cause']}")
    return str(answer["message"] or "Its instance count stays what it is.")


def _refuse_unapproved(arn: str) -> None:
    with aws.explained(f"describing {arn}"):
        approval = aws.client("sagemaker").describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"]
    if approval != "Approved":
        raise CloudError(
            f"{arn} was live last, and is {approval}.", "Deploy another one: scones approve VERSION --wait."
        )


def _remembered(names: Names) -> str | None:
    """The configuration that the deploy workflow brought into service last."""
    config: str | None = _live_model(names).get("endpoint_config")
    return config


def _live_model(names: Names) -> dict[str, Any]:
    with aws.explained(f"reading {names.live_parameter}"):
        found: dict[str, Any] = json.loads(
            aws.client("ssm").get_parameter(Name=names.live_parameter)["Parameter"]["Value"]
        )
    return found

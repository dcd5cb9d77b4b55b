"""Activities: tasks that workers ask for."""

from __future__ import annotations

from moto.stepfunctions.parser.asl.eval.callback.callback import ActivityCallbackEndpoint

from localcloud.stepfunctions.cloud import StatesCloud
from localcloud.stepfunctions.engine.activities import Queue
from localcloud.stepfunctions.names import check_arn
from localcloud.stepfunctions.operations import operation
from localcloud.stepfunctions.operations.listing import page
from localcloud.stepfunctions.operations.tags import set_tags
from localcloud.stepfunctions.protocol import AlreadyExistsError, Body, Resource, ServiceError

KIND = "Activity"
POLL_SECONDS = 60.0
"""How long GetActivityTask waits for a task (API reference)."""


@operation("CreateActivity")
def create(cloud: StatesCloud, request: Body) -> Body:
    """Add an activity, or answer as before when it is there."""
    name = request["name"]
    arn = cloud.arn(f"activity:{name}")
    with cloud.store.transaction():
        try:
            activity = cloud.store.insert(KIND, name, {"name": name}, arn=arn)
        except AlreadyExistsError:
            activity = _existing(cloud, arn)
        else:
            set_tags(cloud, arn, request.get("tags"))
            open_queue(cloud, activity)
    return {"activityArn": arn, "creationDate": activity.created}


def open_queue(cloud: StatesCloud, activity: Resource) -> None:
    """Let executions put tasks where workers of the activity find them."""
    cloud.queues[activity.arn] = Queue(activity.arn, activity.name, activity.created)


def open_queues(cloud: StatesCloud) -> None:
    """The same for all activities, when the server starts."""
    for activity in cloud.store.page(KIND)[0]:
        open_queue(cloud, activity)


def _existing(cloud: StatesCloud, arn: str) -> Resource:
    found = cloud.store.find_arn(check_arn(arn, "activity"))
    if found is None:
        raise ServiceError("ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'")
    return found


@operation("DescribeActivity")
def describe(cloud: StatesCloud, request: Body) -> Body:
    """The activity."""
    activity = _existing(cloud, request["activityArn"])
    return {**_summary(activity), "encryptionConfiguration": {"type": "AWS_OWNED_KEY"}}


@operation("DeleteActivity")
def delete(cloud: StatesCloud, request: Body) -> None:
    """Forget the activity; one that is gone is fine."""
    found = cloud.store.find_arn(check_arn(request["activityArn"], "activity"))
    if found is not None:
        cloud.store.delete(KIND, found.name)
        cloud.queues.pop(found.arn, None)


@operation("ListActivities")
def listing(cloud: StatesCloud, request: Body) -> Body:
    """Activities by name."""
    return page(cloud, request, KIND, _summary, "activities", by_name=True)


def _summary(activity: Resource) -> Body:
    return {"activityArn": activity.arn, "name": activity.name, "creationDate": activity.created}


@operation("GetActivityTask")
def get_task(cloud: StatesCloud, request: Body) -> Body:
    """Wait a minute for a task; a null token says that there was none."""
    activity = _existing(cloud, request["activityArn"])
    task = cloud.queues[activity.arn].wait_for_task(POLL_SECONDS)
    if task is None:
        return {}
    for run in list(cloud.runs.values()):
        endpoint = run.environment.callback_pool_manager.get(callback_id=task.task_token)
        if isinstance(endpoint, ActivityCallbackEndpoint):
            endpoint.notify_activity_task_start(worker_name=request.get("workerName"))
    return {"taskToken": task.task_token, "input": task.task_input}

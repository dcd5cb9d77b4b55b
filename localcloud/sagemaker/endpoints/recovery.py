"""The endpoints when the server starts, after a clean end or kill -9, and when it ends."""

from __future__ import annotations

import logging

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints import deployment, records
from localcloud.sagemaker.endpoints.hosting import EndpointHosting
from localcloud.sagemaker.jobs.child import end_leftovers
from localcloud.sagemaker.jobs.folder import Folder, remove_tree

log = logging.getLogger(__name__)


def recover(cloud: Cloud) -> None:
    """End what a killed server left running, and start everything that was in service again, in the background.

    A creation begins anew; an update is given up, so that the endpoint serves what it served before it; a deletion is
    completed.
    """
    cloud.shared(EndpointHosting).start()
    for root in sorted((cloud.folder / "endpoints").glob("*/*/*")):
        if left := end_leftovers(Folder(root)):
            log.warning("%d processes of an endpoint were left by a restart and ended: %s", left, root)
    if (cloud.folder / "endpoints").exists():
        remove_tree(cloud.folder / "endpoints")
    for endpoint in cloud.store.page(records.KIND)[0]:
        if endpoint.status == "Creating":
            deployment.create(cloud, endpoint.name)
        elif endpoint.status == "Deleting":
            deployment.delete(cloud, endpoint.name)
        elif endpoint.status != "Failed":
            cut_off = endpoint.status in ("Updating", "RollingBack")
            said = None if endpoint.status == "OutOfService" else endpoint.body.get("FailureReason")
            changes = {"PendingDeploymentSummary": None, "Next": None}
            records.change(cloud, endpoint.name, "SystemUpdating", changes)
            deployment.resume(cloud, endpoint.name, deployment.RESTARTED if cut_off else said)


def shut_down(cloud: Cloud) -> None:
    """End every process, write what was captured and counted."""
    cloud.shared(EndpointHosting).shut_down()

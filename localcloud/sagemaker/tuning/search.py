"""A tuning job's record and its thread.

InProgress ──► Completed        every trial has ended, or the target is reached
    │  ├─────► Failed           no training job gives an objective
    │  └─────► Stopped          MaxRuntimeInSeconds is over
    └► Stopping ──► Stopped     somebody stopped it

The record and the training jobs in the store say all there is to know: after a restart a search simply goes on, and
tries again what was cut off.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from localcloud.sagemaker.cloud import Cloud, News
from localcloud.sagemaker.errors import ServiceError, in_use, not_found, own_fault, validation
from localcloud.sagemaker.jobs import lifecycle, training
from localcloud.sagemaker.jobs.job_types import TRAINING, UNFINISHED
from localcloud.sagemaker.resources import ResourceType, existing
from localcloud.sagemaker.store import AlreadyExistsError, Body, Resource
from localcloud.sagemaker.tuning import checks, children, ranges, strategies

log = logging.getLogger(__name__)
KIND = "HyperParameterTuningJob"
TUNING_JOB = ResourceType(
    KIND,
    "hyper-parameter-tuning-job",
    "Amazon SageMaker can't find a tuning job with the name {name}.",
    not_found,
)
HOPELESS_AFTER = 5
"""Ended trials, none with an objective, after which a search gives up, as AWS does."""
ALL_FAILED = "All training jobs failed. Please take a look at the training jobs failures to get more details."
NO_OBJECTIVE = (
    "No objective metrics found after running {ended} training jobs. Please ensure that the custom algorithm is "
    "emitting the objective metric as defined by the regular expression provided."
)
OUT_OF_TIME = "MaxRuntimeExceeded: the tuning job ran longer than MaxRuntimeInSeconds allows."
LONGEST_WAIT = 60.0
_LONGEST_JOIN = 10.0


@dataclass(frozen=True)
class SearchVerdict:
    """The status that a search ends with once its last training job has ended, and the reason for it."""

    status: str
    reason: str = ""


def begin(cloud: Cloud, request: Body, tags: dict[str, str]) -> str:
    """Write the record of a checked request, start its thread and return its ARN. Training jobs get its tags as well.

    Raises:
        ServiceError: ResourceInUse; there is a tuning job of that name.
    """
    name = request[f"{KIND}Name"]
    arn = cloud.arn(f"hyper-parameter-tuning-job/{name}")
    config = request[f"{KIND}Config"]
    body = {
        **request,
        f"{KIND}Arn": arn,
        f"{KIND}Status": "InProgress",
        "Seed": config.get("RandomSeed", secrets.randbelow(2**31)),
    }
    try:
        resource = cloud.store.insert(KIND, name, body, arn=arn, status="InProgress")
    except AlreadyExistsError:
        raise in_use(f"Hyperparameter tuning job names must be unique, and {arn} already exists.") from None
    cloud.store.set_tags(arn, tags)
    cloud.announce(News(KIND, name, "InProgress", "", resource.body))
    _start(cloud, name)
    return arn


def stop(cloud: Cloud, name: str) -> None:
    """Start no more training jobs and stop those that run; Stopped when the last one has ended.

    Raises:
        ServiceError: there is no such tuning job, or it has ended.
    """
    with cloud.store.transaction():
        found = existing(cloud, TUNING_JOB, name)
        if found.status not in UNFINISHED:
            raise validation(f"The request was rejected because the tuning job is in status {found.status}.")
        new = cloud.store.update(KIND, name, {f"{KIND}Status": "Stopping"}, status="Stopping")
    cloud.announce(News(KIND, name, "Stopping", found.status, new.body))


def recover(cloud: Cloud) -> None:
    """Go on with what the last server left unfinished. For the server's start, after the jobs were recovered."""
    for resource in cloud.store.page(KIND, statuses=UNFINISHED)[0]:
        log.warning("tuning job %s goes on after a restart", resource.name)
        _start(cloud, resource.name)


def shut_down(cloud: Cloud) -> None:
    """End every search's thread; its training jobs, which are stopped next, are tried again after the next start.

    For the server's end, after `cloud.stopping` is set.
    """
    with cloud.changed:
        cloud.announced += 1
        cloud.changed.notify_all()
    deadline = time.monotonic() + _LONGEST_JOIN
    for name, thread in list(cloud.searches.items()):
        thread.join(max(0.0, deadline - time.monotonic()))
        for child in _running(children.of(cloud, name)):
            cloud.store.update(TRAINING.name, child.name, {"CutOff": True})


def _start(cloud: Cloud, name: str) -> None:
    thread = threading.Thread(target=_live, args=(cloud, name), name=f"{KIND} {name}", daemon=True)
    cloud.searches[name] = thread
    thread.start()


def _live(cloud: Cloud, name: str) -> None:
    try:
        while not cloud.stopping.is_set():
            seen = cloud.announced
            tuning, found = existing(cloud, TUNING_JOB, name), children.of(cloud, name)
            verdict = judge(tuning, found, time.time())
            if verdict is None:
                _launch(cloud, tuning, found)
            elif running := _running(found):
                _stop_all(cloud, running)
            else:
                _end(cloud, name, verdict)
                break
            left = _deadline(tuning) - time.time() if verdict is None else LONGEST_WAIT
            cloud.wait_for_news(seen, min(LONGEST_WAIT, max(0.0, left)))
    except Exception as error:
        log.exception("%s %s", KIND, name)
        _stop_all(cloud, _running(children.of(cloud, name)))
        _end(cloud, name, SearchVerdict("Failed", own_fault(error)))
    finally:
        if not cloud.stopping.is_set():
            cloud.searches.pop(name, None)


def judge(tuning: Resource, found: Sequence[Resource], now: float) -> SearchVerdict | None:
    """Whether the search is over, seen from its record and its training jobs at time `now`; None while it goes on."""
    if tuning.status == "Stopping":
        return SearchVerdict("Stopped")
    config = tuning.body[f"{KIND}Config"]
    counted = [child for child in found if not children.is_cut_off(child)]
    objective = children.objective_of(tuning.body)
    values = [v for child in counted if (v := children.value(child, objective["MetricName"])) is not None]
    target = config.get("TuningJobCompletionCriteria", {}).get("TargetObjectiveMetricValue")
    if target is not None and any(v >= target if objective["Type"] == "Maximize" else v <= target for v in values):
        return SearchVerdict("Completed")
    if now >= _deadline(tuning):
        return SearchVerdict("Stopped", OUT_OF_TIME)
    ended = [child for child in counted if child.status not in UNFINISHED]
    everything = len(ended) >= checks.number_of_jobs(config, _space(tuning))
    if not values and (everything or len(ended) >= HOPELESS_AFTER):
        failed = all(child.status == "Failed" for child in ended)
        return SearchVerdict("Failed", ALL_FAILED if failed else NO_OBJECTIVE.format(ended=len(ended)))
    return SearchVerdict("Completed") if everything else None


def most_in_parallel(config: Body) -> int:
    """Training jobs at a time: what the request allows, and no more than this machine has processors."""
    return min(int(config["ResourceLimits"]["MaxParallelTrainingJobs"]), os.cpu_count() or 1)


def _launch(cloud: Cloud, tuning: Resource, found: Sequence[Resource]) -> None:
    """Start as many training jobs as may run beside those that do."""
    config = tuning.body[f"{KIND}Config"]
    limit = checks.number_of_jobs(config, _space(tuning))
    for _ in range(most_in_parallel(config) - len(_running(found))):
        taken = {child.body["Trial"] for child in found if not children.is_cut_off(child)}
        trial = next((number for number in range(limit) if number not in taken), None)
        if trial is None:
            return
        again = [child.body["TunedHyperParameters"] for child in found if child.body["Trial"] == trial]
        tried = children.trials(tuning.body, found)
        values = again[-1] if again else strategies.propose(config["Strategy"], _space(tuning), _seed(tuning), tried)
        name = children.name(tuning.name, len(found) + 1)
        request = children.request(tuning.body, name, values)
        own = {"TuningJobArn": tuning.arn, "TunedHyperParameters": values, "Trial": trial}
        arn = lifecycle.begin(cloud, TRAINING, {**request, **own}, training.work, parent=tuning.name)
        cloud.store.set_tags(arn, cloud.store.tags(tuning.arn))
        found = children.of(cloud, tuning.name)


def _stop_all(cloud: Cloud, running: Sequence[Resource]) -> None:
    for child in running:
        if child.status == "InProgress":
            try:
                lifecycle.stop(cloud, TRAINING, child.name)
            except ServiceError as error:
                log.info("%s ended before it could be stopped: %s", child.name, error)


def _end(cloud: Cloud, name: str, verdict: SearchVerdict) -> None:
    changes: Body = {f"{KIND}Status": verdict.status, "HyperParameterTuningEndTime": time.time()}
    if verdict.reason:
        changes["FailureReason"] = verdict.reason
    before = existing(cloud, TUNING_JOB, name).status
    new = cloud.store.insist(lambda: cloud.store.update(KIND, name, changes, status=verdict.status))
    cloud.announce(News(KIND, name, verdict.status, before, new.body))


def _running(found: Sequence[Resource]) -> list[Resource]:
    return [child for child in found if child.status in UNFINISHED]


def _deadline(tuning: Resource) -> float:
    """When the tuning job's time is over, in epoch seconds."""
    limits = tuning.body[f"{KIND}Config"]["ResourceLimits"]
    return tuning.created + float(limits.get("MaxRuntimeInSeconds", "inf"))


def _space(tuning: Resource) -> list[ranges.Range]:
    return ranges.parse(tuning.body[f"{KIND}Config"]["ParameterRanges"])


def _seed(tuning: Resource) -> int:
    return int(tuning.body["Seed"])

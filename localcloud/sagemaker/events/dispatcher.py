"""Delivery of events: every state change is matched with the rules in order, and delivered on threads of its own.

Events of one resource reach a target in the order in which they happened; a target that is away holds up nothing but
its own. What fails is tried again with growing pauses, as the target's RetryPolicy says (185 times, 24 hours), and then
goes to its dead-letter queue. Delivery is at least once while the server lives: what has not been delivered when it
ends, or is killed, is lost. Nothing waits for a delivery; at most MOST events and MOST deliveries wait for their turn.
"""

from __future__ import annotations

import heapq
import logging
import random
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.sagemaker.cloud import Cloud, News
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.events import targets
from localcloud.sagemaker.events.inputs import target_input
from localcloud.sagemaker.events.rules import EventRule, matching, rules
from localcloud.sagemaker.events.rules import targets as targets_of
from localcloud.sagemaker.events.shapes import Event, event

log = logging.getLogger(__name__)
MOST = 10_000
THREADS = 4
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0
RETRIES = 185
AGE_SECONDS = 86_400
CLOSE_SECONDS = 3.0

Lane = tuple[str, str, str]
"""A resource, a rule and the id of one of its targets: what is delivered in order."""


@dataclass
class Delivery:
    """One event for one target. `identity` names it to services that can tell a repetition."""

    resource: str
    rule: EventRule
    target: targets.Target
    text: str
    begun: float
    identity: str
    attempts: int = 0


@dataclass
class _Lanes:
    """Deliveries that wait: by lane, which lanes can go on now, and which later."""

    waiting: dict[Lane, deque[Delivery]] = field(default_factory=dict)
    ready: deque[Lane] = field(default_factory=deque)
    later: list[tuple[float, Lane]] = field(default_factory=list)
    count: int = 0


class Dispatcher:
    """Hears of every state change of a cloud once it has been started."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._heard: deque[tuple[float, News]] = deque()
        self._lanes = _Lanes()
        self._news = threading.Condition()
        self._closing = False
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to listen and to deliver."""
        works = [("events: matching", self._match)] + [("events: delivery", self._deliver)] * THREADS
        self._threads = [threading.Thread(target=work, name=name, daemon=True) for name, work in works]
        for thread in self._threads:
            thread.start()
        self._cloud.listeners.append(self._hear)

    def close(self) -> None:
        """Deliver what can be delivered now, for CLOSE_SECONDS at most, and end."""
        if self._hear in self._cloud.listeners:
            self._cloud.listeners.remove(self._hear)
        with self._news:
            self._closing = True
            self._news.notify_all()
        deadline = time.monotonic() + CLOSE_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if left := len(self._heard) + self._lanes.count:
            log.error("%d events were not delivered before the end", left)

    def _hear(self, news: News) -> None:
        with self._news:
            if len(self._heard) >= MOST:
                log.error("too many events wait; lost: %s %s is %s", news.kind, news.name, news.status)
                return
            self._heard.append((time.time(), news))
            self._news.notify_all()

    def _match(self) -> None:
        pause = 0.0
        while True:
            with self._news:
                self._news.wait_for(lambda: self._heard or self._closing)
                if not self._heard:
                    return
                batch = list(self._heard)
            try:
                self._match_all(batch)
                pause = 0.0
            except (BotoCoreError, ClientError) as error:
                if self._closing:
                    return
                pause = min(LONGEST_PAUSE_SECONDS, 2 * pause or FIRST_PAUSE_SECONDS)
                log.warning("EventBridge cannot be asked for its rules, again in %.0f s: %s", pause, error)
                with self._news:
                    self._news.wait_for(lambda: self._closing, pause)

    def _match_all(self, batch: list[tuple[float, News]]) -> None:
        """Match a batch; an event leaves the queue once its deliveries wait.

        The rules are read once for the batch: every event in it is older than that.

        Raises:
            ClientError, BotoCoreError: EventBridge did not answer; the rest of the batch still waits.
        """
        client = self._cloud.aws("events")
        known = rules(client)
        for moment, news in batch:
            try:
                made = event(self._cloud, news, moment)
                found = matching(client, known, made) if made and known else []
                deliveries = [
                    _delivery(made, rule, target) for rule in found if made for target in targets_of(client, rule)
                ]
            except (BotoCoreError, ClientError):
                raise
            except Exception:
                log.exception("no event for: %s %s is %s", news.kind, news.name, news.status)
                deliveries = []
            with self._news:
                for delivery in deliveries:
                    self._enqueue(delivery)
                self._heard.popleft()
                self._news.notify_all()

    def _enqueue(self, delivery: Delivery) -> None:
        if self._lanes.count >= MOST:
            log.error("too many deliveries wait; lost: one for %s", delivery.target["Arn"])
            return
        lane = (delivery.resource, delivery.rule.arn, delivery.target["Id"])
        if lane in self._lanes.waiting:
            self._lanes.waiting[lane].append(delivery)
        else:
            self._lanes.waiting[lane] = deque([delivery])
            self._lanes.ready.append(lane)
        self._lanes.count += 1

    def _deliver(self) -> None:
        while (lane := self._next_lane()) is not None:
            delivery = self._lanes.waiting[lane][0]
            pause = self._try_delivery(delivery)
            with self._news:
                if pause is not None:
                    heapq.heappush(self._lanes.later, (time.monotonic() + pause, lane))
                else:
                    self._lanes.waiting[lane].popleft()
                    self._lanes.count -= 1
                    if self._lanes.waiting[lane]:
                        self._lanes.ready.append(lane)
                    else:
                        del self._lanes.waiting[lane]
                self._news.notify_all()

    def _next_lane(self) -> Lane | None:
        """A lane that nobody works on, when there is one; None when the dispatcher ends."""
        with self._news:
            while True:
                now = time.monotonic()
                while self._lanes.later and self._lanes.later[0][0] <= now:
                    self._lanes.ready.append(heapq.heappop(self._lanes.later)[1])
                if self._lanes.ready:
                    return self._lanes.ready.popleft()
                if self._closing and not self._heard:
                    return None
                self._news.wait(self._lanes.later[0][0] - now if self._lanes.later else None)

    def _try_delivery(self, delivery: Delivery) -> float | None:
        """Try a delivery; seconds until it is to be tried again, or None when it is done with."""
        delivery.attempts += 1
        arn = delivery.target["Arn"]
        try:
            targets.call(self._cloud, delivery.target, delivery.text, delivery.identity)
        except Exception as error:
            known = isinstance(error, ClientError | BotoCoreError | ServiceError | targets.UnsupportedTargetError)
            exhausted = _exhausted(delivery)
            if targets.transient(error) and not exhausted:
                pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** (delivery.attempts - 1))
                log.warning("rule %s: %s does not answer, again: %s", delivery.rule.name, arn, error)
                return pause * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
            log.error("rule %s: %s did not get the event: %s", delivery.rule.name, arn, error, exc_info=not known)
            self._bury(delivery, error, exhausted if targets.transient(error) else "")
        return None

    def _bury(self, delivery: Delivery, error: Exception, exhausted: str) -> None:
        """Send an event that cannot be delivered to its dead-letter queue, if it has one."""
        queue = delivery.target.get("DeadLetterConfig", {}).get("Arn")
        if not queue:
            return
        attributes = {
            "RULE_ARN": delivery.rule.arn,
            "TARGET_ARN": delivery.target["Arn"],
            "ERROR_CODE": targets.code(error),
            "ERROR_MESSAGE": str(error)[:1024] or "none",
            "EXHAUSTED_RETRY_CONDITION": exhausted,
            "RETRY_ATTEMPTS": str(delivery.attempts - 1),
        }
        named = {
            name: {"DataType": "Number" if name == "RETRY_ATTEMPTS" else "String", "StringValue": value}
            for name, value in attributes.items()
            if value
        }
        try:
            targets.send(self._cloud, queue, delivery.text, MessageAttributes=named)
        except (ClientError, BotoCoreError) as problem:
            log.error("the event is lost: its dead-letter queue %s did not take it: %s", queue, problem)


def _delivery(made: Event, rule: EventRule, target: targets.Target) -> Delivery:
    identity = f"{made['id']}_{uuid.uuid4()}"
    return Delivery(made["resources"][-1], rule, target, target_input(target, rule, made), time.time(), identity)


def _exhausted(delivery: Delivery) -> str:
    """Which limit of the target's RetryPolicy is reached, or ""."""
    policy = delivery.target.get("RetryPolicy", {})
    if delivery.attempts > policy.get("MaximumRetryAttempts", RETRIES):
        return "MaximumRetryAttempts"
    if time.time() - delivery.begun > policy.get("MaximumEventAgeInSeconds", AGE_SECONDS):
        return "MaximumEventAgeInSeconds"
    return ""

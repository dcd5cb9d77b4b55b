"""What the parts of the local SageMaker share: the account, the store, clients for the other services, and news."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import boto3
from botocore.config import Config

from localcloud.isolation.offer import Isolation, offered
from localcloud.regions import FOLDER
from localcloud.roles.client import Roles
from localcloud.sagemaker import registry
from localcloud.sagemaker.jobs.interruption import Interruption
from localcloud.sagemaker.protocol import check_request, response_body
from localcloud.sagemaker.roles import assumed
from localcloud.sagemaker.store import Store
from localcloud.sagemaker.written_defaults import completed

DATABASE = "sagemaker.sqlite"
Shared = TypeVar("Shared")


class RunningJob(Protocol):
    """What others may do to a job that runs: tell it to end, and wait for that."""

    interruption: Interruption
    thread: threading.Thread | None


@dataclass(frozen=True)
class News:
    """A resource changed its state: what the engine waits for and what becomes an EventBridge event."""

    kind: str
    name: str
    status: str
    previous: str
    body: dict[str, Any]


@dataclass
class Cloud:
    """The local account in one region: what is made here is seen nowhere else.

    Attributes:
        state: folder of the whole local cloud.
        aws_url: where every service but SageMaker answers.
        url: where this server answers; jobs get it as AWS_ENDPOINT_URL_SAGEMAKER.
        roles: where they are enforced.
        isolation: whether jobs and models get a private view of the machine.
        jobs: those that run now, by ARN.
        executions: the threads of the pipeline executions that run now, by execution id.
        searches: the threads of the tuning jobs that run now, by name.
        announced: how many news there were; see `wait_for_news`.
    """

    state: Path
    aws_url: str
    url: str
    account: str = "000000000000"
    region: str = "us-east-1"
    roles: Roles | None = None
    isolation: Isolation = field(default_factory=offered)
    stopping: threading.Event = field(default_factory=threading.Event)
    listeners: list[Callable[[News], None]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    jobs: dict[str, RunningJob] = field(default_factory=dict)
    executions: dict[str, threading.Thread] = field(default_factory=dict)
    searches: dict[str, threading.Thread] = field(default_factory=dict)
    announced: int = 0
    _session: boto3.Session | None = None
    _clients: dict[tuple[str, str, float | None], Any] = field(default_factory=dict)
    _store: Store | None = None
    _shared: dict[Callable[[Cloud], Any], Any] = field(default_factory=dict)
    _making: threading.RLock = field(default_factory=threading.RLock)

    @property
    def folder(self) -> Path:
        """The region's own part of the state: the database, the folders of jobs and endpoints."""
        return self.state / FOLDER / self.region

    @property
    def store(self) -> Store:
        """The resources; one store for all threads, which a cached_property does not promise from Python 3.12 on."""
        with self._making:
            if self._store is None:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._store = Store(self.folder / DATABASE)
            return self._store

    def shared(self, make: Callable[[Cloud], Shared]) -> Shared:
        """The one object for all threads that `make`, a class of another part of this server, makes of this account."""
        with self._making:
            if make not in self._shared:
                self._shared[make] = make(self)
            made: Shared = self._shared[make]
            return made

    @property
    def s3(self) -> Any:
        return self.aws("s3")

    def aws(self, service: str, role: str = "", answer_seconds: float | None = None) -> Any:
        """The boto3 client of another service of this local account; the same one every time, for all threads.

        All come of one session, which reads AWS's list of endpoints (12 MB) once.

        Args:
            role: in whose name it acts, where roles are enforced.
            answer_seconds: how long it waits for an answer, and then it asks once only.

        Raises:
            ServiceError: ValidationException; SageMaker may not assume the role.
        """
        key = (service, role if self.roles else "", answer_seconds)
        with self._making:  # making a client is not safe in two threads, using one is
            if key not in self._clients:
                self._session = self._session or boto3.Session()
                self._clients[key] = self._session.client(
                    service,
                    endpoint_url=self.aws_url,
                    region_name=self.region,
                    **self.credentials(role),
                    config=Config(
                        max_pool_connections=64,
                        connect_timeout=5,
                        read_timeout=answer_seconds or 60,
                        retries={"mode": "standard", "total_max_attempts": 1 if answer_seconds else 3},
                        s3={"addressing_style": "path"},
                    ),
                )
            return self._clients[key]

    def credentials(self, role: str) -> dict[str, str]:
        """What a boto3 client, or the process of a job or model, acts with: a session of its role where enforced.

        Raises:
            ServiceError: ValidationException; SageMaker may not assume the role.
        """
        return assumed(self.roles, role) or {"aws_access_key_id": "test", "aws_secret_access_key": "test"}

    def beside(self, region: str) -> Cloud:
        """The same account in another region."""
        roles = replace(self.roles, region=region) if self.roles else None
        return Cloud(self.state, self.aws_url, self.url, self.account, region, roles, self.isolation)

    def prepare(self) -> None:
        """Begin to make the clients that every job uses: it takes half a second, which the first job need not wait."""
        for service in ("s3", "logs"):
            threading.Thread(target=self.aws, args=(service,), daemon=True).start()

    def arn(self, resource: str) -> str:
        """`arn:aws:sagemaker:<region>:<account>:<resource>`."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{resource}"

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Call an operation of this server exactly as a client would: checked on the way in, shaped on the way out.

        Raises:
            ServiceError: as the API answers.
        """
        handler = registry.handler(operation)
        answer = handler(self, check_request(operation, request))
        return response_body(operation, completed(operation, answer))

    def announce(self, news: News) -> None:
        """Tell whoever waits, and the listeners, that a resource changed."""
        self.wake()
        for listener in self.listeners:
            listener(news)

    def wake(self) -> None:
        """Have whoever waits for news look again."""
        with self.changed:
            self.announced += 1
            self.changed.notify_all()

    def wait_for_news(self, seen: int, timeout: float) -> None:
        """Wait until there is more news than `seen`, a value that `announced` had, or for `timeout` seconds.

        Whoever reads `announced` before looking at the world misses nothing that happens while it looks.
        """
        with self.changed:
            self.changed.wait_for(lambda: self.announced != seen, timeout)

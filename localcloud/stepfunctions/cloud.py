"""What the parts of the local Step Functions share: the account, the store, and the executions that run now."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud.regions import FOLDER
from localcloud.stepfunctions.clients import Clients
from localcloud.stepfunctions.engine.activities import Queue
from localcloud.stepfunctions.engine.distributed.dispatch import MapRun
from localcloud.stepfunctions.engine.run import Request, Run
from localcloud.stepfunctions.journal import Journal
from localcloud.stepfunctions.logs import Scribe
from localcloud.stepfunctions.protocol import Resource

DATABASE = "stepfunctions.sqlite"
RUNS_AT_ONCE = 1000
"""How many executions run side by side; each has two threads, which mostly wait."""
CLOSED_TOKENS = 10_000


@dataclass
class StatesCloud:
    """The local account in one region: what is made here is seen nowhere else.

    Attributes:
        state: folder of the whole local cloud.
        clients: boto3 clients of the other services.
        runs: the executions that run now, by ARN.
        keeper: makes what keeps the map runs of an execution.
        tell: hears of every STANDARD execution that begins or ends.
        map_runs: the map runs that run now, by ARN.
        queues: the tasks that wait for a worker, by the activity's ARN.
        closed_tokens: the tokens of tasks of the executions that ended last.
    """

    state: Path
    clients: Clients
    account: str = "000000000000"
    region: str = "us-east-1"
    runs: dict[str, Run] = field(default_factory=dict)
    map_runs: dict[str, MapRun] = field(default_factory=dict)
    queues: dict[str, Queue] = field(default_factory=dict)
    keeper: Callable[[Any, Request], Any] = lambda cloud, request: None
    closed_tokens: deque[str] = field(default_factory=lambda: deque(maxlen=CLOSED_TOKENS))
    tell: Callable[[Resource], None] = lambda execution: None
    starting: threading.Lock = field(default_factory=threading.Lock)
    _journal: Journal | None = None
    _scribe: Scribe | None = None
    _making: threading.RLock = field(default_factory=threading.RLock)

    @property
    def store(self) -> Journal:
        """The resources and the histories; one store for all threads."""
        with self._making:
            if self._journal is None:
                folder = self.state / FOLDER / self.region
                folder.mkdir(parents=True, exist_ok=True)
                self._journal = Journal(folder / DATABASE)
            return self._journal

    def beside(self, region: str) -> StatesCloud:
        """The same account in another region."""
        return StatesCloud(self.state, self.clients, self.account, region, tell=self.tell)

    @property
    def logs(self) -> Scribe:
        """What tells CloudWatch Logs of executions."""
        with self._making:
            if self._scribe is None:
                self._scribe = Scribe(self.clients, self.region)
            return self._scribe

    def arn(self, resource: str) -> str:
        """`arn:aws:states:<region>:<account>:<resource>`."""
        return f"arn:aws:states:{self.region}:{self.account}:{resource}"

"""The server keeps nothing of an execution that has ended but what is in its database."""

from __future__ import annotations

import json
import time

from moto.stepfunctions.parser.asl.component.program import program
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel import branch_worker

from localcloud.stepfunctions.engine import run as engine
from localcloud.stepfunctions.engine.run import Outcome, Request

BRANCH = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
MACHINE = {"StartAt": "Both", "States": {"Both": {"Type": "Parallel", "Branches": [BRANCH, BRANCH], "End": True}}}


def test_threads_of_an_execution_are_forgotten() -> None:
    role, outcomes = "arn:aws:iam::000000000000:role/any", []  # type: tuple[str, list[Outcome]]
    arn = "arn:aws:states:us-east-1:000000000000:execution:m:e"
    machine = "arn:aws:states:us-east-1:000000000000:stateMachine:m"
    request = Request(
        arn, "e", machine, "m", role, json.dumps(MACHINE), "7", False, "000000000000", "us-east-1", time.time()
    )
    engine.new(request, lambda event: None, outcomes.append, {}).worker.run()
    assert outcomes == [Outcome("SUCCEEDED", output="[7,7]")]
    assert list(program.TMP_THREADS) == list(branch_worker.TMP_THREADS) == []

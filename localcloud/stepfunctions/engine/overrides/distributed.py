"""A distributed Map is done by engine/distributed, whose children are executions; moto's are frames of their parent.

AWS: developer guide, "Distributed mode": each batch is a child workflow execution with a history of its own.
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.distributed_iteration_component import (
    DistributedIterationComponent,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer.result_writer_decl import ResultWriter

from localcloud.stepfunctions.engine.distributed.state import evaluate


def apply() -> None:
    """Replace what evaluates the iterations and writes the results."""
    DistributedIterationComponent._eval_body = _evaluate
    ResultWriter._eval_body = _leave


def _evaluate(self: Any, env: Any) -> None:
    given = env.stack.pop()
    history = env.event_manager
    output = evaluate(env, given, history.map_runs, history.take_resumed(env, given.state_name))
    env.stack.append(output)


def _leave(self: Any, env: Any) -> None:
    """The results have been written with the map run."""

"""Programs note where they are, and a redriven execution goes on where it was.

AWS: developer guide, "Restarting state machine executions with redrive": states that were done are not run again, and
the state that was not is scheduled again under the event with which it was entered.
"""

from __future__ import annotations

import copy
import threading
from typing import Any

from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.iteration_worker import IterationWorker
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branches_decl import BranchesDecl
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.component.state.state_continue_with import ContinueWithEnd
from moto.stepfunctions.parser.asl.eval.environment import Environment

from localcloud.stepfunctions.engine.progress import Node


def apply() -> None:
    """Give environments their trail, and programs their beginning."""
    _number_branches()
    _hand_trails_on()
    _note_states()
    _pass_over_iterations()
    Program.eval = _evaluate


def _number_branches() -> None:
    original = BranchesDecl.__init__

    def begin(self: Any, programs: list[Any]) -> None:
        original(self, programs)
        for index, program in enumerate(programs):
            program.branch = index

    BranchesDecl.__init__ = begin


def _hand_trails_on() -> None:
    original = Environment.as_inner_frame_of.__func__

    def as_inner_frame_of(cls: Any, env: Any, variable_store: Any, event_history_frame_cache: Any = None) -> Any:
        frame = original(cls, env, variable_store, event_history_frame_cache)
        frame.trail = getattr(env, "trail", ())
        return frame

    Environment.as_inner_frame_of = classmethod(as_inner_frame_of)


def _note_states() -> None:
    original = CommonStateField._eval_body

    def eval_body(self: Any, env: Any) -> None:
        data, store = env.states._states_data, env.variable_store
        env.event_manager.progress.enter(_trail(env), self.name, data["input"], dict(store._inner_scope))
        original(self, env)

    CommonStateField._eval_body = eval_body
    set_next = CommonStateField._set_next

    def to_next(self: Any, env: Any) -> None:
        # A frame is also set ended from outside, when its Map or Parallel state fails: that program is not done.
        is_last = isinstance(self.continue_with, ContinueWithEnd) and env.next_state_name == self.name
        set_next(self, env)
        env.is_done = is_last

    CommonStateField._set_next = to_next


def _pass_over_iterations() -> None:
    original = IterationWorker._eval_job

    def eval_job(self: Any, env: Any, job: Any) -> None:
        trail = (*_trail(env), f"{env.next_state_name}/{job.job_index}")
        node = env.event_manager.progress.resume(trail)
        if node is None:
            original(self, env, job)
        elif "output" in node:
            job.job_output = node["output"]
            env.event_manager.progress.finish(trail, node["output"])
        else:
            env.resumes = node
            original(self, env, job)

    IterationWorker._eval_job = eval_job


def _evaluate(self: Any, env: Any) -> None:
    """Run a program from its beginning or from where it was."""
    progress = env.event_manager.progress
    if env.is_frame():
        env.trail = (*_trail(env), f"{env.next_state_name}/{_index(self, env)}")
    trail = _trail(env)
    node = vars(env).pop("resumes", None) or progress.resume(trail)
    if node is None or "output" in node:
        env.next_state_name = self.start_at.start_at_name
    else:
        env.next_state_name = node["state"]
        _restore(env, node)
    if node is not None and "output" in node:
        env.states.reset(input_value=node["output"])
        env.set_ended()
        env.is_done = True
    else:
        seconds = self.timeout_seconds.timeout_seconds if self.timeout_seconds else None
        worker = threading.Thread(target=EvalComponent.eval, args=(self, env), daemon=True)
        worker.start()
        worker.join(timeout=seconds)
        if worker.is_alive():
            env.set_timed_out()
    if env.is_frame() and getattr(env, "is_done", False):
        progress.finish(trail, env.states.get_input())


def _restore(env: Any, node: Node) -> None:
    env.states.reset(input_value=node["input"])
    env.variable_store._inner_scope.update(copy.deepcopy(node["variables"]))
    env.event_history_context.is_entered = True


def _trail(env: Any) -> tuple[str, ...]:
    return tuple(getattr(env, "trail", ()))


def _index(program: Any, env: Any) -> int:
    branch = getattr(program, "branch", None)
    if branch is not None:
        return int(branch)
    return int(env.states.context_object.context_object_data["Map"]["Item"]["Index"])

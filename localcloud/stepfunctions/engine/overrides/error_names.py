"""A branch or an iteration may end with an error of AWS's own, such as States.Timeout, and its state with the same.

AWS: recorded answers (a function that runs out of time inside a Map). moto takes every name for one of the user's,
which may not begin with "States.".
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import iteration_worker
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel import branches_decl

OWN = {kind.to_name(): kind for kind in StatesErrorNameType}


def apply() -> None:
    """Replace how the two states name the error of what is inside them."""
    iteration_worker.CustomErrorName = named
    branches_decl.CustomErrorName = named


def named(error_name: str | None) -> Any:
    """The error of that name."""
    own = OWN.get(error_name or "")
    return StatesErrorName(typ=own) if own else CustomErrorName(error_name=error_name)

"""The times of the context object are in milliseconds, with a Z.

AWS: "EnteredTime": "2019-03-26T20:14:13.192Z" (developer guide, "Accessing execution data from the Context object").
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from moto.stepfunctions.parser.asl.component.state import state

from localcloud.stepfunctions.engine.overrides import put


def entered(EnteredTime: str, Name: str) -> dict[str, Any]:  # noqa: N803 - the members of the context object
    """The context object's State as a state is entered."""
    moment = datetime.fromisoformat(EnteredTime).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"EnteredTime": moment, "Name": Name}


def apply() -> None:
    """Replace what the interpreter calls when it enters a state."""
    put("StateData", state.StateData, entered)

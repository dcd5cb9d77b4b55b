"""The assigned variables in a history are JSON texts, those that are texts among them.

AWS: recorded histories (`"assignedVariables": {"var": "\\"\\\\\\"\\""}` for one quotation mark).
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.eval.variable_store import VariableStore

from localcloud.stepfunctions.engine.overrides.encoding import to_json_str


def apply() -> None:
    """Replace what shows them."""
    VariableStore.get_assigned_variables = _shown


def _shown(self: Any) -> dict[str, str]:
    return {name: to_json_str(self.get(name)) for name in self._declaration_tracing}

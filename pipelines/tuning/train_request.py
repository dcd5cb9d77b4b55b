"""The Train step as a training job's request, with the data of an execution: what the step would ask for, resolved.

Taken from the rendered definition, so that a training outside of the pipeline is described nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.contract.definition import OUTPUT_REFERENCE, Json, step_named_in, steps
from pipelines.definition import builtin_algorithm
from pipelines.runs import results
from pipelines.runs.given_parameters import check_parameters
from project import s3
from project.errors import DataError, SconesError

STEP = "Train"


def train_request(definition: Json, execution: str, given: Mapping[str, str]) -> Json:
    """CreateTrainingJob's request of the definition's Train step, without a name.

    `execution`: ARN of the execution whose outputs are the data; `given`: pipeline parameters that are not to have
    their defaults. A number of epochs moves the learning-rate steps along, as when an execution starts.

    Raises:
        UsageError: a parameter that the pipeline does not have, or a value that does not fit.
        DataError: the execution did not get as far as the data, or has them for other classes.
    """
    declared = {parameter["Name"]: parameter for parameter in definition.get("Parameters", [])}
    check_parameters(declared.values(), given)
    values = {name: parameter.get("DefaultValue") for name, parameter in declared.items()} | dict(given)
    if "Epochs" in given and "LearningRateSteps" in declared and "LearningRateSteps" not in given:
        values["LearningRateSteps"] = builtin_algorithm.learning_rate_steps(int(given["Epochs"]))
    step = next(step for step in steps(definition) if step.name == STEP)
    resolved: Json = Resolver(definition, execution, values).resolved(step.arguments)
    return resolved


class Resolver:
    """Replaces the expressions of a request by their values; remembers what it has looked up."""

    def __init__(self, definition: Json, execution: str, parameters: Mapping[str, Any]) -> None:
        self._steps = {step.name: step for step in steps(definition)}
        self._execution = execution
        self._parameters = parameters
        self._documents: dict[str, Any] = {}

    def resolved(self, value: Any) -> Any:
        """`value` with every expression inside it replaced.

        Raises:
            SconesError: an expression that means nothing outside of an execution.
            DataError: the execution lacks the output that is referred to.
        """
        if isinstance(value, list):
            return [self.resolved(item) for item in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {"Get"}:
            return self._got(value["Get"])
        if set(value) == {"Std:Join"}:
            joined = value["Std:Join"]
            return str(joined["On"]).join(str(self.resolved(part)) for part in joined["Values"])
        if set(value) == {"Std:JsonGet"}:
            return self._json(value["Std:JsonGet"])
        return {key: self.resolved(item) for key, item in value.items()}

    def _got(self, target: str) -> Any:
        if target.startswith("Parameters."):
            return self._parameters[target.removeprefix("Parameters.")]
        named = step_named_in(target)
        output = OUTPUT_REFERENCE.match(named[1]) if named else None
        if named is None or output is None:
            raise SconesError(f"Taking the {STEP} step's request: {target} is not known outside of an execution.")
        return results.output_uri(self._execution, named[0], output[1])

    def _json(self, wanted: Json) -> Any:
        """A value of a property file; its path is one of plain keys."""
        step, rest = step_named_in(wanted["PropertyFile"]["Get"]) or ("", "")
        file = self._steps[step].property_files[rest.removeprefix("PropertyFiles.")]
        uri = f"{results.output_uri(self._execution, step, file['OutputName'])}/{file['FilePath']}"
        if uri not in self._documents:
            self._documents[uri] = s3.read_json(uri)
        found: Any = self._documents[uri]
        for key in wanted["Path"].split("."):
            if not isinstance(found, dict) or key not in found:
                raise DataError(f"{uri} has no {wanted['Path']}.", "Is the execution one of this pipeline?")
            found = found[key]
        return found

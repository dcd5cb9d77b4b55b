"""What a finished step offers to the steps after it: its job's Describe answer and its property files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.contract import s3_uri
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.engine import records
from localcloud.sagemaker.engine.definition import PipelineDefinition
from localcloud.sagemaker.engine.expressions import ExpressionError, Scope, look_up
from localcloud.sagemaker.engine.step_types import KINDS
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.store import Resource

TOP_JOBS = 50
"""So many training jobs a Tuning step tells of: the SDK's get_top_model_s3_uri."""
OWN_PROPERTIES = {"Lambda": "Outputs", "Callback": "Outputs", "QualityCheck": "Properties"}
"""Types of steps whose properties are in their own record, and the member that holds them."""


@dataclass
class Outcomes:
    """The properties of the steps of one execution; each is looked up once."""

    cloud: Cloud
    run: Resource
    definition: PipelineDefinition
    parameters: dict[str, Any]
    _described: dict[str, Any] = field(default_factory=dict)
    _documents: dict[str, Any] = field(default_factory=dict)

    def scope(self, job: str = "") -> Scope:
        """What the expressions of a step are resolved against; `job` is the name of the step's own job."""
        return Scope(
            parameters=self.parameters,
            execution=execution_values(self.run, job),
            step=self.properties,
            property_file=self.property_file,
            s3_json=self.s3_json,
        )

    def properties(self, step: str) -> Any:
        """The Describe answer of the step's job, model or model package; of a Condition step its Outcome.

        Raises:
            ExpressionError: the step has not run, or its resource is gone.
        """
        if step not in self._described:
            self._described[step] = self._describe(step)
        return self._described[step]

    def property_file(self, step: str, name: str) -> Any:
        """The parsed JSON of a property file.

        Raises:
            ExpressionError: the file is not there, or is not JSON.
        """
        file = self.definition.steps[step].property_files[name]
        output = look_up(self.properties(step), ("ProcessingOutputConfig", "Outputs", file.output, "S3Output", "S3Uri"))
        try:
            return self.s3_json(f"{output.rstrip('/')}/{file.path}")
        except ExpressionError as error:
            raise ExpressionError(f"property file {name} of step {step}: {error}") from None

    def s3_json(self, uri: str) -> Any:
        """The parsed JSON of an S3 object.

        Raises:
            ExpressionError: it is not there, or is not JSON.
        """
        if uri not in self._documents:
            self._documents[uri] = _read_json(self.cloud, uri)
        return self._documents[uri]

    def _describe(self, step: str) -> Any:
        found = self.cloud.store.find(records.STEP, f"{self.run.name}/{step}")
        if found is None or found.status != "Succeeded":
            raise ExpressionError(f"step {step} has not succeeded in this execution")
        step_type = self.definition.steps[step].type
        if step_type in OWN_PROPERTIES:
            return found.body[OWN_PROPERTIES[step_type]]
        kind = KINDS.get(step_type)
        if kind is None:
            return {"Outcome": found.body["Outcome"]}
        try:
            described = self.cloud.call(kind.describe, {kind.name: found.body["JobName"]})
            if step_type == "Tuning":
                described |= self._top_jobs(described)
            return described
        except ServiceError as error:
            raise ExpressionError(f"{found.body['JobName']} of step {step} is gone: {error.message}") from None

    def _top_jobs(self, tuning: dict[str, Any]) -> dict[str, Any]:
        """`TrainingJobSummaries` of a tuning job, the best first, as get_top_model_s3_uri of the SDK counts them."""
        objective = tuning["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["Type"]
        request = {
            "HyperParameterTuningJobName": tuning["HyperParameterTuningJobName"],
            "SortBy": "FinalObjectiveMetricValue",
            "SortOrder": "Descending" if objective == "Maximize" else "Ascending",
            "MaxResults": TOP_JOBS,
            "StatusEquals": "Completed",
        }
        return self.cloud.call("ListTrainingJobsForHyperParameterTuningJob", request)


def execution_values(run: Resource, job: str = "") -> dict[str, Any]:
    """What `Get` finds under Execution; times in ISO-8601 with milliseconds, in UTC."""
    return {
        "StartDateTime": _iso(datetime.fromtimestamp(run.body["StartTime"], UTC)),
        "CurrentDateTime": _iso(datetime.now(UTC)),
        "PipelineName": run.parent,
        "PipelineArn": run.body["PipelineArn"],
        "PipelineExecutionId": run.name,
        "PipelineExecutionArn": run.arn,
        **({"TrainingJobName": job, "ProcessingJobName": job} if job else {}),
    }


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read_json(cloud: Cloud, uri: str) -> Any:
    try:
        bucket, key = s3_uri.split(uri)
    except ValueError as error:
        raise ExpressionError(str(error)) from None
    if not key.strip("/"):
        raise ExpressionError(f"{uri!r} is not the S3 URI of an object")
    try:
        data = cloud.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except (ClientError, BotoCoreError) as error:
        raise ExpressionError(f"{uri} cannot be read: {error}") from None
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ExpressionError(f"{uri} is not JSON: {error}") from None

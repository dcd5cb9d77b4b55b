"""What an execution of a schedule does: the inline MonitoringJobDefinition, or a job definition that it names.

Both become the inline form, with the members that only model quality has beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from localcloud.sagemaker import images
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints import records as endpoints
from localcloud.sagemaker.endpoints.plan import EndpointPlan
from localcloud.sagemaker.errors import not_found, validation
from localcloud.sagemaker.jobs.instances import require_instances
from localcloud.sagemaker.jobs.transfer import split
from localcloud.sagemaker.resources import ResourceType, existing
from localcloud.sagemaker.store import Body

KINDS = {"DataQuality": "DataQualityJobDefinition", "ModelQuality": "ModelQualityJobDefinition"}
"""Kind of the resource by MonitoringType; the other two types are Clarify's."""


@dataclass(frozen=True)
class MonitoringDefinition:
    """One way to monitor an endpoint.

    Attributes:
        body: in the form of MonitoringJobDefinition.
        kind: MonitoringType.
        name: of the job definition; "" for an inline one.
        problem_type, ground_truth: of model quality; else "".
    """

    body: Body
    kind: str
    name: str = ""
    problem_type: str = ""
    ground_truth: str = ""

    @property
    def input(self) -> Body:
        """The EndpointInput."""
        found: Body = self.body["MonitoringInputs"][0]["EndpointInput"]
        return found

    @property
    def endpoint(self) -> str:
        return str(self.input["EndpointName"])

    @property
    def output(self) -> Body:
        """The S3Output."""
        found: Body = self.body["MonitoringOutputConfig"]["MonitoringOutputs"][0]["S3Output"]
        return found


def of_schedule(cloud: Cloud, config: Body) -> MonitoringDefinition:
    """The definition that a MonitoringScheduleConfig holds or names.

    Raises:
        ServiceError: it holds none or two, names one that is not there, or is of a type that is not done here.
    """
    inline, name = config.get("MonitoringJobDefinition"), config.get("MonitoringJobDefinitionName")
    if bool(inline) == bool(name):
        raise validation("MonitoringScheduleConfig must have one of MonitoringJobDefinition and its name.")
    kind = config.get("MonitoringType", "DataQuality")
    if kind not in KINDS:
        raise validation(f"The local SageMaker monitors DataQuality and ModelQuality, not {kind}.")
    if inline:
        return MonitoringDefinition(inline, kind)
    return of_job_definition(existing(cloud, job_definition(kind), str(name)).body, kind)


def job_definition(kind: str) -> ResourceType:
    """The job definitions of a MonitoringType, a key of KINDS."""
    words = re.sub(r"(?<!^)([A-Z])", r"-\1", KINDS[kind]).lower()
    return ResourceType(KINDS[kind], words, f"Could not find the {kind} job definition {{name!r}}.", not_found)


def of_job_definition(body: Body, kind: str) -> MonitoringDefinition:
    """A Data- or ModelQualityJobDefinition in the inline form."""
    application: Body = body[f"{kind}AppSpecification"]
    source: Body = body[f"{kind}JobInput"]
    inline = {
        "BaselineConfig": body.get(f"{kind}BaselineConfig"),
        "MonitoringInputs": [{name: value for name, value in source.items() if name != "GroundTruthS3Input"}],
        "MonitoringOutputConfig": body[f"{kind}JobOutputConfig"],
        "MonitoringResources": body["JobResources"],
        "MonitoringAppSpecification": application,
        "Environment": application.get("Environment", {}),
        "StoppingCondition": body.get("StoppingCondition"),
        "RoleArn": body["RoleArn"],
    }
    truth = source.get("GroundTruthS3Input", {}).get("S3Uri", "")
    return MonitoringDefinition(inline, kind, body["JobDefinitionName"], application.get("ProblemType", ""), truth)


def check(definition: MonitoringDefinition, cloud: Cloud) -> None:
    """Refuse what AWS refuses beyond the request's shape, and what is not done here.

    Raises:
        ServiceError: ValidationException.
    """
    if "EndpointInput" not in definition.body["MonitoringInputs"][0]:
        raise validation("The local SageMaker monitors endpoints: give an EndpointInput.")
    application = definition.body["MonitoringAppSpecification"]
    images.processing(application["ImageUri"], application.get("ContainerEntrypoint", []))
    for name in ("RecordPreprocessorSourceUri", "PostAnalyticsProcessorSourceUri"):
        if application.get(name):
            raise validation(f"The local SageMaker does not support {name}: it is for AWS's prebuilt analyzer.")
    require_instances({"ProcessingResources": definition.body["MonitoringResources"]}, cloud.isolation)
    split(definition.output["S3Uri"])
    plan_of(cloud, definition.endpoint)


def plan_of(cloud: Cloud, endpoint: str) -> EndpointPlan:
    """What an endpoint runs, if it captures data.

    Raises:
        ServiceError: ValidationException; there is no such endpoint, or it captures nothing.
    """
    plan = endpoints.running(existing(cloud, endpoints.ENDPOINT, endpoint))
    if not plan.capture.get("EnableCapture"):
        raise validation(f"Data capture is not enabled for the endpoint {endpoint!r}: there is nothing to monitor.")
    return plan


def baseline(definition: MonitoringDefinition) -> tuple[str, str]:
    """S3 URIs of statistics and constraints, "" where there is none."""
    config = definition.body.get("BaselineConfig") or {}
    statistics, constraints = (config.get(f"{name}Resource") or {} for name in ("Statistics", "Constraints"))
    return statistics.get("S3Uri", ""), constraints.get("S3Uri", "")

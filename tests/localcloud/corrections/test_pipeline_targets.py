"""A rule and a schedule start pipelines, as `Pipeline.put_triggers` of the SageMaker SDK has them do."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import boto3
from cloud_fixtures import LocalCloud, eventually
from engine_support import fail
from pipeline_client import ROLE, PipelineClient


def test_a_rule_and_a_schedule_start_a_pipeline_with_their_parameters(
    on_local_cloud: LocalCloud, pipelines_client: PipelineClient
) -> None:
    client = pipelines_client
    said = [{"Name": "Who", "Type": "String", "DefaultValue": "nobody"}]
    name = client.create(fail("Say", {"Get": "Parameters.Who"}), parameters=said)
    arn = client.sagemaker.describe_pipeline(PipelineName=name)["PipelineArn"]

    def target(**more: object) -> dict[str, object]:
        return {"Arn": arn, "RoleArn": ROLE, "SageMakerPipelineParameters": more}

    def reasons() -> set[str]:
        executions = client.sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
        steps = [client.steps(one["PipelineExecutionArn"]) for one in executions]
        return {each["Say"]["FailureReason"] for each in steps if each.get("Say", {}).get("FailureReason")}

    schedules, events = boto3.client("scheduler"), boto3.client("events")
    schedules.create_schedule(
        Name=name,
        ScheduleExpression="at(2026-01-01T00:00:00)",  # over already: MiniStack does it at once
        FlexibleTimeWindow={"Mode": "OFF"},
        StartDate=datetime(2026, 1, 1, tzinfo=UTC),
        State="ENABLED",
        Target=target(),
    )
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    given = [{"Name": "Who", "Value": "the rule"}]
    events.put_targets(Rule=name, Targets=[{"Id": "1", **target(PipelineParameterList=given)}])
    events.put_events(Entries=[{"Source": name, "DetailType": "t", "Detail": "{}"}])
    eventually(lambda: reasons() == {"nobody", "the rule"})

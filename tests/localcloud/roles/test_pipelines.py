"""Pipelines and events under `--enforce-roles`: steps are made in the pipeline's name, targets called in the rule's."""

from __future__ import annotations

import json

from cloud_fixtures import OPEN_QUEUE, eventually
from role_support import ACCOUNT, IMAGE, STATES, Account, machine

DETAIL_TYPE = "SageMaker Model Building Pipeline Execution Status Change"


def test_a_step_that_the_pipelines_role_may_not_make_fails_and_its_event_goes_where_the_rules_role_allows(
    root: Account,
) -> None:
    dead = root("sqs").create_queue(QueueName="roles-dead", Attributes=OPEN_QUEUE)["QueueUrl"]
    target = machine(root, "roles-heard", root.role("roles-hears", STATES), "arn:aws:states:::sns:publish", {})
    pattern = {"source": ["aws.sagemaker"], "detail-type": [DETAIL_TYPE]}
    root("events").put_rule(Name="roles-pipelines", EventPattern=json.dumps(pattern))
    letters = {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:roles-dead"}
    role = root.role("roles-hearing", "events.amazonaws.com")
    root("events").put_targets(
        Rule="roles-pipelines", Targets=[{"Id": "1", "Arn": target, "RoleArn": role, "DeadLetterConfig": letters}]
    )
    creates = {"Action": "sagemaker:CreateProcessingJob", "Resource": "*"}
    maker = root.role("roles-pipeline", "sagemaker.amazonaws.com", creates)
    arguments = {
        "RoleArn": maker,
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["true"]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
    }
    definition = {"Version": "2020-12-01", "Steps": [{"Name": "One", "Type": "Processing", "Arguments": arguments}]}
    sagemaker = root("sagemaker")
    sagemaker.create_pipeline(PipelineName="roles", PipelineDefinition=json.dumps(definition), RoleArn=maker)
    started = sagemaker.start_pipeline_execution(PipelineName="roles")["PipelineExecutionArn"]
    steps = sagemaker.list_pipeline_execution_steps
    eventually(
        lambda: (
            [one["StepStatus"] for one in steps(PipelineExecutionArn=started)["PipelineExecutionSteps"]] == ["Failed"]
        )
    )
    (step,) = steps(PipelineExecutionArn=started)["PipelineExecutionSteps"]
    who = f"arn:aws:sts::{ACCOUNT}:assumed-role/roles-pipeline/SageMaker"
    assert f"User: {who} is not authorized to perform: sagemaker:AddTags on resource: " in step["FailureReason"]
    found: list[str] = []
    eventually(lambda: found.extend(root.messages(dead)) or found)
    assert json.loads(found[0])["detail-type"] == DETAIL_TYPE
    assert root("stepfunctions").list_executions(stateMachineArn=target)["executions"] == []
    root("events").remove_targets(Rule="roles-pipelines", Ids=["1"])

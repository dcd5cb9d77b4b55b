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


def test_functions_and_queues_are_used_in_the_name_of_the_pipelines_role(root: Account) -> None:
    queue = root("sqs").create_queue(QueueName="roles-asked")["QueueUrl"]
    sends = {"Action": "sqs:SendMessage", "Resource": f"arn:aws:sqs:us-east-1:{ACCOUNT}:roles-asked"}
    role = root.role("roles-outside", "sagemaker.amazonaws.com", sends)
    function = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:roles-called"
    call = {"Name": "Call", "Type": "Lambda", "FunctionArn": function, "Arguments": {}}
    ask = {"Name": "Ask", "Type": "Callback", "SqsQueueUrl": queue, "Arguments": {}}
    sagemaker = root("sagemaker")
    definition = json.dumps({"Version": "2020-12-01", "Steps": [ask, call]})
    sagemaker.create_pipeline(PipelineName="roles-outside", PipelineDefinition=definition, RoleArn=role)
    started = sagemaker.start_pipeline_execution(PipelineName="roles-outside")["PipelineExecutionArn"]
    found: list[str] = []
    eventually(lambda: found.extend(root.messages(queue)) or found)
    sagemaker.send_pipeline_execution_step_success(CallbackToken=json.loads(found[0])["token"])
    describe = sagemaker.describe_pipeline_execution
    eventually(lambda: describe(PipelineExecutionArn=started)["PipelineExecutionStatus"] == "Failed")
    listed = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=started)["PipelineExecutionSteps"]
    steps = {step["StepName"]: step for step in listed}
    assert steps["Ask"]["StepStatus"] == "Succeeded"
    who = f"arn:aws:sts::{ACCOUNT}:assumed-role/roles-outside/SageMaker"
    refused = f"User: {who} is not authorized to perform: lambda:InvokeFunction on resource: {function}"
    assert refused in steps["Call"]["FailureReason"]

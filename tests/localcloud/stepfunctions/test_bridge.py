"""MiniStack's port, CloudFormation and rules use the local Step Functions, and EventBridge hears of its executions."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from cloud_fixtures import LocalCloud, eventually
from stepfunctions_support import ROLE, client_of

PASS = {"Type": "Pass", "End": True}
DEFINITION = json.dumps({"StartAt": "One", "States": {"One": PASS}})


@pytest.fixture
def here(on_local_cloud: LocalCloud) -> tuple[Any, Any]:
    """Clients of the Step Functions' own port, and of MiniStack's."""
    addresses = on_local_cloud.addresses
    return client_of(addresses.stepfunctions_port), client_of(addresses.ministack_port)


def aws(cloud: LocalCloud, service: str) -> Any:
    return boto3.client(service, endpoint_url=cloud.addresses.ministack)


def test_both_ports_are_one_service(here: tuple[Any, Any]) -> None:
    own, ministack = here
    arn = ministack.create_state_machine(name="two-doors", definition=DEFINITION, roleArn=ROLE)["stateMachineArn"]
    assert own.describe_state_machine(stateMachineArn=arn)["definition"] == DEFINITION
    with pytest.raises(ministack.exceptions.InvalidName):
        ministack.create_activity(name="no blanks")


def test_a_stack_makes_changes_and_deletes_a_machine(on_local_cloud: LocalCloud, here: tuple[Any, Any]) -> None:
    own, cloudformation = here[0], aws(on_local_cloud, "cloudformation")

    def template(definition: str) -> str:
        properties = {"StateMachineName": "from-stack", "RoleArn": ROLE, "DefinitionString": definition}
        resource = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
        return json.dumps({"Resources": {"Machine": resource}})

    cloudformation.create_stack(StackName="with-machine", TemplateBody=template(DEFINITION))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="with-machine", WaiterConfig={"Delay": 1})
    arn = cloudformation.describe_stack_resource(StackName="with-machine", LogicalResourceId="Machine")
    machine = arn["StackResourceDetail"]["PhysicalResourceId"]
    assert own.describe_state_machine(stateMachineArn=machine)["name"] == "from-stack"
    changed = json.dumps({"StartAt": "Two", "States": {"Two": PASS}})
    cloudformation.update_stack(StackName="with-machine", TemplateBody=template(changed))
    cloudformation.get_waiter("stack_update_complete").wait(StackName="with-machine", WaiterConfig={"Delay": 1})
    assert json.loads(own.describe_state_machine(stateMachineArn=machine)["definition"]) == json.loads(changed)
    cloudformation.delete_stack(StackName="with-machine")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="with-machine", WaiterConfig={"Delay": 1})
    with pytest.raises(own.exceptions.StateMachineDoesNotExist):
        own.describe_state_machine(stateMachineArn=machine)


def test_a_rule_starts_an_execution_and_another_rule_hears_of_its_end(
    on_local_cloud: LocalCloud, here: tuple[Any, Any]
) -> None:
    own, events, sqs = here[0], aws(on_local_cloud, "events"), aws(on_local_cloud, "sqs")
    machine = own.create_state_machine(name="by-rule", definition=DEFINITION, roleArn=ROLE)["stateMachineArn"]
    queue = sqs.create_queue(QueueName="endings")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="tea-time", EventPattern='{"source": ["tests.stepfunctions"]}')
    events.put_targets(Rule="tea-time", Targets=[{"Id": "1", "Arn": machine, "RoleArn": ROLE}])
    pattern = {"source": ["aws.states"], "detail": {"stateMachineArn": [machine], "status": ["SUCCEEDED"]}}
    events.put_rule(Name="endings", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="endings", Targets=[{"Id": "1", "Arn": queue_arn}])
    events.put_events(Entries=[{"Source": "tests.stepfunctions", "DetailType": "tea", "Detail": '{"cups": 2}'}])
    eventually(lambda: own.list_executions(stateMachineArn=machine, statusFilter="SUCCEEDED")["executions"], 30)
    told: list[dict[str, Any]] = []
    eventually(lambda: told.extend(sqs.receive_message(QueueUrl=queue).get("Messages", [])) or told, 30)
    event = json.loads(told[0]["Body"])
    assert event["detail-type"] == "Step Functions Execution Status Change"
    assert json.loads(event["detail"]["input"])["detail"] == {"cups": 2}

"""The state machines run for real: definitions and zip as they are deployed, on MiniStack, against a fake SageMaker."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from cloud_fixtures import ANY_ROLE, OPEN_QUEUE, LocalCloud
from fake_aws import FakeAws, arn, probabilities, refusal
from fake_aws_server import serving
from lambda_support import ENVIRONMENT, picture

from infra.lambda_packages import functions_zip, installed_layer_zip
from project.errors import ExecutionFailedError
from stepfunctions import machines
from stepfunctions.executions import Execution, raise_unless_succeeded

BUCKET = "state-machine-tests"
THRESHOLD = "/state-machine-tests/threshold"
LIMIT = "/state-machine-tests/unfamiliarity"
RULE = "state-machine-tests-incoming"
FUNCTIONS = {
    "SerializeImage": "serialize_image",
    "ClassifyImage": "classify_image",
    "FilterInferences": "filter_inferences",
    "ListImages": "list_images",
    "ClassifyBatch": "classify_batch",
    "SummariseBatch": "summarise_batch",
    "Deploy": "deploy",
    "Monitor": "monitor",
}


@dataclass
class Workflows:
    """The deployed machines, the fake SageMaker behind them, and the queue that alerts arrive in."""

    aws: FakeAws
    clients: dict[str, Any]
    arns: dict[str, str]
    queue: str

    def run(self, machine: str, request: dict[str, Any]) -> dict[str, Any]:
        """One execution, to its end."""
        sfn = self.clients["stepfunctions"]
        execution = sfn.start_execution(stateMachineArn=self.arns[machine], input=json.dumps(request))["executionArn"]
        end = time.monotonic() + 60
        while (found := sfn.describe_execution(executionArn=execution))["status"] == "RUNNING":
            assert time.monotonic() < end, f"{machine} did not end"
            time.sleep(0.02)
        result: dict[str, Any] = found
        return result

    def put(self, key: str, data: bytes) -> dict[str, str]:
        self.clients["s3"].put_object(Bucket=BUCKET, Key=key, Body=data)
        return {"s3_bucket": BUCKET, "s3_key": key}

    def stored(self, uri: str) -> Any:
        key = uri.removeprefix(f"s3://{BUCKET}/")
        return json.loads(self.clients["s3"].get_object(Bucket=BUCKET, Key=key)["Body"].read())

    def alerts(self) -> list[dict[str, Any]]:
        """SNS messages that arrived since the last call."""
        sqs, found = self.clients["sqs"], []
        while messages := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
                found.append(json.loads(message["Body"]))
        return found


@pytest.fixture(scope="module")
def deployed_workflows(local_cloud: LocalCloud) -> Iterator[Workflows]:
    session = boto3.Session("test", "test", region_name="us-east-1")
    services = ("stepfunctions", "lambda", "s3", "sns", "sqs", "ssm", "events")
    clients = {name: session.client(name, endpoint_url=local_cloud.addresses.ministack) for name in services}
    fake = FakeAws()
    with serving(fake) as url:
        clients["s3"].create_bucket(Bucket=BUCKET)
        topic = clients["sns"].create_topic(Name="alerts")["TopicArn"]
        queue = clients["sqs"].create_queue(QueueName="alerts", Attributes=OPEN_QUEUE)["QueueUrl"]
        queue_arn = clients["sqs"].get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
        clients["sns"].subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn["QueueArn"])
        clients["ssm"].put_parameter(Name=THRESHOLD, Value="0.93", Type="String")
        clients["ssm"].put_parameter(Name=LIMIT, Value="0.95", Type="String")
        clients["events"].put_rule(Name=RULE, EventPattern='{"source": ["aws.s3"]}', State="DISABLED")
        environment = ENVIRONMENT | {"BUCKET": BUCKET, "BATCH_SIZE": "3", "THRESHOLD_PARAMETER": THRESHOLD}
        environment |= {"UNFAMILIARITY_PARAMETER": LIMIT}
        environment |= {"INCOMING_RULE": RULE, "LIVE_PARAMETER": "/state-machine-tests/live-model"}
        environment |= {"MONITOR_PARAMETER": "/state-machine-tests/monitoring"}
        environment |= dict.fromkeys(("AWS_ENDPOINT_URL_SAGEMAKER", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"), url)
        clients["s3"].put_object(Bucket=BUCKET, Key="layer.zip", Body=installed_layer_zip())
        libraries = clients["lambda"].publish_layer_version(
            LayerName="libraries", Content={"S3Bucket": BUCKET, "S3Key": "layer.zip"}
        )["LayerVersionArn"]
        code, values = functions_zip(), {"AlertsTopicArn": topic}
        for name, folder in FUNCTIONS.items():
            values[f"{name}FunctionArn"] = clients["lambda"].create_function(
                FunctionName=name,
                Runtime="python3.13",
                Role=ANY_ROLE,
                Handler=f"lambdas.{folder}.handler.handler",
                Code={"ZipFile": code},
                Timeout=30,
                Layers=[libraries],
                Environment={"Variables": environment},
            )["FunctionArn"]
        arns = {}
        for name in machines.names():
            definition = machines.PLACEHOLDER.sub(lambda found: values[found[1]], machines.text(name))
            made = clients["stepfunctions"].create_state_machine(name=name, definition=definition, roleArn=ANY_ROLE)
            arns[name] = made["stateMachineArn"]
        yield Workflows(fake, clients, arns, queue)


@pytest.fixture
def workflows(deployed_workflows: Workflows) -> Workflows:
    aws = deployed_workflows.aws
    for state in (aws.packages, aws.models, aws.configs, aws.endpoints, aws.calls, aws.invocations):
        state.clear()
    aws.answers, aws.endings = [], []
    deployed_workflows.alerts()
    return deployed_workflows


def test_a_sure_picture_ends_with_its_route(workflows: Workflows) -> None:
    request = workflows.put("incoming/big photo.jpg", picture(size=(1600, 1200), kind="JPEG"))
    done = workflows.run("inference", request)
    assert done["status"] == "SUCCEEDED"
    decision = {"vehicle": "bicycle", "route": "near", "confidence": 0.96, "threshold": 0.93}
    assert json.loads(done["output"]) == {**request, "inferences": [0.96, 0.04], "decision": decision}
    assert workflows.aws.invocations[0][0]["X-Amzn-SageMaker-Inference-Id"] == done["name"]
    assert workflows.alerts() == []


def test_low_confidence_fails_loudly_and_alerts(workflows: Workflows) -> None:
    request = workflows.put("incoming/blurred.png", picture())
    workflows.aws.answers = [probabilities(0.55, 0.45)]
    done = workflows.run("inference", request)
    assert (done["status"], done["error"]) == ("FAILED", "LowConfidence")
    cause = json.loads(done["cause"])
    assert (cause["confidence"], cause["threshold"]) == (0.55, 0.93)
    assert "THRESHOLD_CONFIDENCE_NOT_MET" in cause["problem"]
    [alert] = workflows.alerts()
    assert "low confidence" in alert["Subject"]
    assert json.loads(alert["Message"]) == cause
    assert cause["image"] == f"s3://{BUCKET}/incoming/blurred.png"


def test_a_stranger_fails_loudly_and_alerts_however_sure_the_model_is(workflows: Workflows) -> None:
    request = workflows.put("incoming/cat.png", picture())
    workflows.aws.answers = [
        probabilities(0.999, 0.001, unfamiliarity=0.99), probabilities(0.999, 0.001, unfamiliarity=0.4)
    ]  # fmt: skip
    done = workflows.run("inference", request)
    assert (done["status"], done["error"]) == ("FAILED", "Unfamiliar")
    cause = json.loads(done["cause"])
    assert (cause["unfamiliarity"], cause["limit"], cause["confidence"]) == (0.99, 0.95, 0.999)
    [alert] = workflows.alerts()
    assert "unfamiliar" in alert["Subject"]
    assert json.loads(alert["Message"]) == cause
    decision = json.loads(workflows.run("inference", request)["output"])["decision"]
    assert (decision["route"], decision["unfamiliarity"]) == ("near", 0.4)


def test_the_input_may_override_the_threshold(workflows: Workflows) -> None:
    workflows.aws.answers = [probabilities(0.55, 0.45)]
    assert workflows.run("inference", workflows.put("a.png", picture()) | {"threshold": 0.5})["status"] == "SUCCEEDED"


def test_throttling_is_tried_again_until_it_ends(workflows: Workflows) -> None:
    workflows.aws.answers = [refusal("ThrottlingException", 400)]
    assert workflows.run("inference", workflows.put("a.png", picture()))["status"] == "SUCCEEDED"
    assert len(workflows.aws.invocations) == 2


def test_a_refusal_by_the_model_is_not_tried_again(workflows: Workflows) -> None:
    workflows.aws.answers = [refusal("ModelError", 424, OriginalStatusCode=415)]
    done = workflows.run("inference", workflows.put("a.png", picture()))
    assert (done["status"], done["error"]) == ("FAILED", "ModelRefusedImage")
    assert len(workflows.aws.invocations) == 1
    assert len(workflows.alerts()) == 1


def test_what_is_no_picture_never_reaches_the_endpoint(workflows: Workflows) -> None:
    done = workflows.run("inference", workflows.put("note.txt", b"hello"))
    assert (done["status"], done["error"]) == ("FAILED", "ImageRefused")
    assert workflows.aws.invocations == []


@pytest.mark.parametrize("request_", [{}, {"s3_bucket": BUCKET}, {"s3_bucket": BUCKET, "s3_key": None}])
def test_a_request_without_a_picture_fails_at_once(workflows: Workflows, request_: dict[str, Any]) -> None:
    assert workflows.run("inference", request_)["error"] == "BadRequest"


def forms(request: dict[str, Any]) -> dict[str, Any]:
    """A request in the forms in which other services send it."""
    place = {"bucket": {"name": request["s3_bucket"]}, "object": {"key": request["s3_key"]}}
    notification = {"Records": [{"s3": place}]}
    return {
        "body beside it": {**request, "body": "a note"},
        "records beside it": {**request, "Records": [{"s3": {}}]},
        "body": {"body": request},
        "text body": {"body": json.dumps(request)},
        "EventBridge": {"source": "aws.s3", "detail": place},
        "S3": notification,
        "SNS": {"Records": [{"Sns": {"Message": json.dumps(notification)}}]},
        "SQS": {"Records": [{"body": json.dumps({"Type": "Notification", "Message": json.dumps(notification)})}]},
    }


def test_the_workflow_knows_the_forms_that_the_functions_know(workflows: Workflows) -> None:
    request = workflows.put("forms.png", picture())
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda form: workflows.run("inference", form), forms(request).values()))
    assert [one.get("cause") for one in done] == [None] * len(done)
    assert {json.loads(one["output"])["s3_key"] for one in done} == {"forms.png"}


@pytest.mark.parametrize("request_", [{"body": "{"}, {"Records": [{}]}, {"body": {"s3_key": "only.png"}}])
def test_a_form_that_names_no_picture_is_told(workflows: Workflows, request_: dict[str, Any]) -> None:
    done = workflows.run("inference", request_)
    assert (done["error"], len(workflows.alerts())) == ("BadEvent", 1)


def test_several_pictures_of_one_execution_are_refused_and_told(workflows: Workflows) -> None:
    one = forms(workflows.put("forms.png", picture()))["S3"]["Records"]
    done = workflows.run("inference", {"Records": one * 2})
    assert (done["error"], len(workflows.alerts())) == ("SeveralPictures", 1)


def test_concurrent_executions_do_not_mix(workflows: Workflows) -> None:
    requests = [workflows.put(f"many/{n}.png", picture(size=(40 + n, 40))) for n in range(8)]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda request: workflows.run("inference", request), requests))
    assert [json.loads(end["output"])["s3_key"] for end in done] == [request["s3_key"] for request in requests]


def test_a_batch_accounts_for_every_picture(workflows: Workflows) -> None:
    workflows.put("week/", b"")
    for number in range(40):
        workflows.put(f"week/{number:02d}.png", picture())
    workflows.put("week/99-note.txt", b"hello")
    workflows.aws.answers = [
        probabilities(0.6, 0.4), probabilities(0.01, 0.99), probabilities(0.99, 0.01, unfamiliarity=1.0)
    ]  # fmt: skip
    done = workflows.run("batch", {"s3_bucket": BUCKET, "prefix": "week/"})
    assert done["status"] == "SUCCEEDED", done
    output = json.loads(done["output"])
    counts = {"images": 41, "routed": 38, "routes": {"far": 1, "near": 37}, "failed_percentage": 2.44}
    counts |= {"vehicles": {"bicycle": 37, "motorcycle": 1}, "low_confidence": 1, "unfamiliar": 1}
    counts |= {"failed": 1, "not_processed": 0}
    assert output["counts"] == counts
    summary = workflows.stored(output["summary"])
    assert [item["key"] for item in summary["failed"]] == ["week/99-note.txt"]
    assert summary["failed"][0]["error"] == "ImageRefused"
    assert summary["low_confidence"][0]["confidence"] == 0.6
    assert [item["unfamiliarity"] for item in summary["unfamiliar"]] == [1.0]
    assert len(summary["decisions"]) == 38
    assert workflows.alerts() == []


def test_a_batch_with_too_many_failures_says_so_and_leaves_its_summary(workflows: Workflows) -> None:
    for number in range(3):
        workflows.put(f"notes/{number}.txt", b"hello")
    done = workflows.run("batch", {"s3_bucket": BUCKET, "prefix": "notes/"})
    assert (done["status"], done["error"]) == ("FAILED", "TooManyFailures")
    end = Execution("arn:e", done["status"], datetime.now(UTC), error=done["error"], cause=done["cause"])
    with pytest.raises(ExecutionFailedError) as failure:
        raise_unless_succeeded(end, "Batch e")
    assert "3 pictures failed; 5 % are tolerated. Most often ImageRefused, 3 times, first notes/0.txt: " in str(
        failure.value
    )
    assert f"Every picture's reason: {json.loads(done['cause'])['summary']}. " in str(failure.value)
    summary = workflows.stored(json.loads(done["cause"])["summary"])
    assert len(summary["failed"]) == 3


def test_a_batch_that_cannot_reach_the_endpoint_names_what_was_not_routed(workflows: Workflows) -> None:
    workflows.put("dark/1.png", picture())
    workflows.aws.answers = [refusal("AccessDeniedException", 403)]
    done = workflows.run("batch", {"s3_bucket": BUCKET, "prefix": "dark/"})
    assert done["error"] == "TooManyFailures"
    assert workflows.stored(json.loads(done["cause"])["summary"])["failed"][0]["error"] == "AccessDenied"


def test_a_batch_over_nothing_fails_by_name(workflows: Workflows) -> None:
    assert workflows.run("batch", {"s3_bucket": BUCKET, "prefix": "nowhere/"})["error"] == "NoImages"


def test_an_approval_becomes_a_live_endpoint(workflows: Workflows) -> None:
    workflows.aws.register(1)
    done = workflows.run("deploy", {"detail": {"ModelPackageArn": arn(1), "ModelApprovalStatus": "Approved"}})
    assert done["status"] == "SUCCEEDED", done
    assert workflows.aws.live["EndpointStatus"] == "InService"
    assert [alert["Subject"] for alert in workflows.alerts()] == ["Scones: model deployed"]
    rule = workflows.clients["events"].describe_rule(Name=RULE)
    assert rule["State"] == "ENABLED"


def test_a_silent_rollback_fails_the_deployment(workflows: Workflows) -> None:
    workflows.aws.register(1)
    workflows.run("deploy", {"model_package_arn": arn(1)})
    workflows.aws.register(2)
    workflows.aws.endings = ["rolled_back"]
    workflows.alerts()
    done = workflows.run("deploy", {"model_package_arn": arn(2)})
    assert (done["status"], done["error"]) == ("FAILED", "RolledBack")
    assert len(workflows.aws.configs) == 1
    assert [alert["Subject"] for alert in workflows.alerts()] == ["Scones: deployment failed, nothing changed"]

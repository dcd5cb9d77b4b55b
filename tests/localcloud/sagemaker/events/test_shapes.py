"""The form of state changes as EventBridge events, by what they happened to."""

from __future__ import annotations

import re
import time
from functools import partial

from cloud_fixtures import eventually
from endpoint_support import Clients
from engine_support import fail
from engine_support import processing as processing_step
from event_support import SPECIFICATION, create_pipeline, group, package
from job_support import Bucket, ServingModel, finish, processing, training, transform

from localcloud.sagemaker.cloud import Cloud, News
from localcloud.sagemaker.events.shapes import Event, event

ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def collected(cloud: Cloud) -> list[Event]:
    """The events of everything that is announced from now on."""
    found: list[Event] = []

    def hear(news: News) -> None:
        made = event(cloud, news, time.time())
        if made:
            found.append(made)

    cloud.listeners.append(hear)
    return found


def test_the_form_of_a_model_package_s_event(cloud: Cloud) -> None:
    found, name = collected(cloud), group(cloud)
    arn = package(cloud, name)
    (made,) = found
    detail = made.pop("detail")
    assert {key: made[key] for key in made if key not in ("id", "time")} == {
        "version": "0",
        "detail-type": "SageMaker Model Package State Change",
        "source": "aws.sagemaker",
        "account": "000000000000",
        "region": "us-east-1",
        "resources": [arn],
    }
    assert (_matches(made["time"]), _matches(detail["CreationTime"]), _matches(detail["LastModifiedTime"])) == (1, 1, 1)
    assert detail["ModelPackageGroupName"] == name
    assert detail["ModelPackageVersion"] == 1
    assert detail["InferenceSpecification"] == SPECIFICATION
    assert detail["ModelPackageStatus"] == "Completed"
    assert detail["ModelPackageStatusDetails"] == {"ValidationStatuses": [], "ImageScanStatuses": []}
    assert detail["ModelApprovalStatus"] == "PendingManualApproval"
    assert detail["CertifyForMarketplace"] is False


def _matches(text: str) -> bool:
    return re.fullmatch(ISO, text) is not None


def _is_last(found: list[Event], title: str, member: str, status: str) -> bool:
    return bool(found) and found[-1]["detail-type"] == title and found[-1]["detail"][member] == status


def test_the_form_of_jobs_events(cloud: Cloud, bucket: Bucket, serving_model: ServingModel) -> None:
    found = collected(cloud)
    model = serving_model('def answer(body, headers):\n    return 200, b"x"')
    bucket.put("in/a.png", b"a")
    for request, kind, first, last in (
        (processing(bucket, "print(1)"), "Processing", "InProgress", "Completed"),
        (training(bucket, "raise SystemExit('no')"), "Training", "InProgress", "Failed"),
        (transform(bucket, model), "Transform", "InProgress", "Completed"),
    ):
        finish(cloud, request)
        title = f"SageMaker {kind} Job State Change"
        eventually(partial(_is_last, found, title, f"{kind}JobStatus", last))
        ours = [one for one in found if one["detail-type"] == title]
        details = [one["detail"] for one in ours]
        assert details[0][f"{kind}JobStatus"] == first
        detail = details[-1]
        assert ours[-1]["resources"] == [detail[f"{kind}JobArn"]]
        assert detail[f"{kind}JobName"] == request[f"{kind}JobName"]
        assert isinstance(detail["CreationTime"], int)
        assert detail["CreationTime"] <= detail[f"{kind}EndTime"]
        assert detail["Tags"] == {}
        assert ("FailureReason" in detail) == (last == "Failed")
    training_events = [one["detail"] for one in found if "Training" in one["detail-type"]]
    assert training_events[1]["SecondaryStatus"] == "Downloading"


def test_the_form_of_endpoints_events(endpoints: Clients, cloud: Cloud, serving_model: ServingModel) -> None:
    found = collected(cloud)
    answers = 'def answer(body, headers):\n    return 200, b"x"'
    name = endpoints.serve(endpoints.config(serving_model(answers)))
    new = endpoints.config(serving_model(answers))
    endpoints.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new)
    endpoints.settled(name)
    endpoints.delete(name)
    states = [one for one in found if one["detail-type"] == "SageMaker Endpoint State Change"]
    statuses = [one["detail"]["EndpointStatus"] for one in states]
    assert statuses == ["CREATING", "IN_SERVICE", "UPDATING", "IN_SERVICE", "DELETING"]
    served = states[3]
    assert served["resources"] == [served["detail"]["EndpointArn"]]
    assert served["detail"]["EndpointConfigName"] == new
    assert served["detail"]["ProductionVariants"][0]["DesiredInstanceCount"] == 1
    assert isinstance(served["detail"]["CreationTime"], int)
    assert served["detail"]["Tags"] == {}
    deployments = [one["detail"] for one in found if "Deployment" in one["detail-type"]]
    assert {one["EndpointStatus"] for one in deployments} == {"CREATING", "UPDATING"}
    last = deployments[-1]["PendingDeploymentSummary"]
    assert last["EndpointConfigName"] == new
    assert last["ProductionVariants"][0]["VariantStatus"][0] == {
        "Status": "ActivatingTraffic",
        "StatusMessage": "Activating traffic on full capacity of 1 instance(s).",
        "StartTime": last["ProductionVariants"][0]["VariantStatus"][0]["StartTime"],
    }


def test_the_form_of_pipelines_events(cloud: Cloud) -> None:
    found = collected(cloud)
    name = create_pipeline(cloud, processing_step("Extract"), fail("Stop", "not good enough", DependsOn=["Extract"]))
    request = {"PipelineName": name, "ClientRequestToken": "t" * 32, "PipelineExecutionDisplayName": "run"}
    arn = cloud.call("StartPipelineExecution", request)["PipelineExecutionArn"]
    kind = "SageMaker Model Building Pipeline Execution Status Change"
    eventually(lambda: [one for one in found if one["detail-type"] == kind][1:])
    started, ended = [one for one in found if one["detail-type"] == kind]
    pipeline = ended["detail"]["pipelineArn"]
    assert started["detail"] == {
        "pipelineExecutionDisplayName": "run",
        "currentPipelineExecutionStatus": "Executing",
        "executionStartTime": started["detail"]["executionStartTime"],
        "pipelineArn": pipeline,
        "pipelineExecutionArn": arn,
    }
    assert ended["resources"] == [pipeline, arn]
    assert ended["detail"]["previousPipelineExecutionStatus"] == "Executing"
    assert ended["detail"]["currentPipelineExecutionStatus"] == "Failed"
    assert _matches(ended["detail"]["executionEndTime"])
    steps = [one for one in found if one["detail-type"].endswith("Step Status Change")]
    turns = [(one["detail"]["stepName"], one["detail"]["currentStepStatus"]) for one in steps]
    assert turns[:3] == [("Extract", "Starting"), ("Extract", "Executing"), ("Extract", "Succeeded")]
    done = steps[2]["detail"]
    assert steps[2]["resources"] == [pipeline, arn]
    assert done["stepType"] == "Processing"
    assert done["previousStepStatus"] == "Executing"
    assert done["metadata"]["processingJob"]["arn"].startswith(
        "arn:aws:sagemaker:us-east-1:000000000000:processing-job/"
    )
    assert _matches(done["stepStartTime"])
    assert _matches(done["stepEndTime"])
    assert steps[-1]["detail"]["failureReason"] == "not good enough"

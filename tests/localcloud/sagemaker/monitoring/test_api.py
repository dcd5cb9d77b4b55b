"""Monitoring schedules, job definitions and executions, through the API and through the SageMaker SDK's own classes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from capture_files import NOON
from cloud_fixtures import LocalCloud, eventually
from endpoint_support import Clients, refused
from job_support import ROLE, unique
from schedule_support import ANALYZER, HOURLY, PAST_NOON, Watched

from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.jobs.transfer import split
from localcloud.sagemaker.monitoring.cron import HOUR
from localcloud.sagemaker.written_defaults import completed


def code(error: pytest.ExceptionInfo[ServiceError]) -> str:
    return error.value.code


def test_a_schedule_is_created_described_updated_stopped_started_listed_and_deleted(watched: Watched) -> None:
    cloud, name = watched.cloud, watched.schedule()
    described = watched.describe(name)
    assert described["MonitoringScheduleStatus"] == "Scheduled"
    assert (described["EndpointName"], described["MonitoringType"]) == (watched.endpoint, "DataQuality")
    daily = {"ScheduleExpression": "cron(0 6 ? * * *)"}
    config = {"ScheduleConfig": daily, "MonitoringJobDefinition": watched.quick("echo new")}
    request = {"MonitoringScheduleName": name, "MonitoringScheduleConfig": config}
    assert (
        cloud.call("UpdateMonitoringSchedule", request)["MonitoringScheduleArn"] == described["MonitoringScheduleArn"]
    )
    assert watched.describe(name)["MonitoringScheduleConfig"]["ScheduleConfig"] == daily
    cloud.call("StopMonitoringSchedule", {"MonitoringScheduleName": name})
    [listed] = cloud.call("ListMonitoringSchedules", {"EndpointName": watched.endpoint})["MonitoringScheduleSummaries"]
    assert (listed["MonitoringScheduleName"], listed["MonitoringScheduleStatus"]) == (name, "Stopped")
    cloud.call("StartMonitoringSchedule", {"MonitoringScheduleName": name})
    assert watched.describe(name)["MonitoringScheduleStatus"] == "Scheduled"
    cloud.call("DeleteMonitoringSchedule", {"MonitoringScheduleName": name})
    with pytest.raises(ServiceError) as gone:
        watched.describe(name)
    assert code(gone) == "ResourceNotFound"


def test_an_execution_is_a_processing_job_in_the_container_contract(watched: Watched, baseline_folder: Path) -> None:
    watched.capture()
    definition = watched.definition(BaselineConfig=watched.baseline(baseline_folder))
    name = watched.schedule(definition)
    execution = watched.run(name)
    assert execution["MonitoringExecutionStatus"] == "Completed", execution
    assert execution["ScheduledTime"] == NOON.timestamp()
    job = watched.job(execution)
    assert job["ExitMessage"] == "Completed: Job completed successfully with no violations."
    assert job["MonitoringScheduleArn"] == watched.describe(name)["MonitoringScheduleArn"]
    environment = job["Environment"]
    assert (environment["start_time"], environment["end_time"]) == ("2026-05-04T11:00:00Z", "2026-05-04T12:00:00Z")
    assert environment["sagemaker_endpoint_name"] == watched.endpoint
    assert environment["sagemaker_monitoring_schedule_name"] == name
    assert list(json.loads(environment["dataset_format"])) == ["sagemakerCaptureJson"]
    inputs = {one["InputName"]: one["S3Input"]["LocalPath"] for one in job["ProcessingInputs"]}
    assert inputs["input_1"] == f"/opt/ml/processing/input/endpoint/{watched.endpoint}/AllTraffic/2026/05/04/11"
    output = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    assert output == watched.bucket.uri(f"reports/{watched.endpoint}/{name}/2026/05/04/12")
    files = {Path(key).name for key in watched.bucket.keys(split(output)[1])}
    assert {"statistics.json", "constraints.json", "constraint_violations.json"} <= files
    assert watched.describe(name)["LastMonitoringExecutionSummary"]["ProcessingJobArn"] == execution["ProcessingJobArn"]


def test_traffic_that_drifted_is_an_execution_with_violations_and_metrics(
    watched: Watched, baseline_folder: Path
) -> None:
    watched.capture(120, start=NOON - timedelta(minutes=50), shade=0.5)
    name = watched.schedule(watched.definition(BaselineConfig=watched.baseline(baseline_folder)))
    execution = watched.run(name)
    assert execution["MonitoringExecutionStatus"] == "CompletedWithViolations"
    violations = json.loads(watched.read(execution, "constraint_violations.json"))["violations"]
    assert "brightness" in {one["feature_name"] for one in violations}
    dimensions = [{"Name": "Endpoint", "Value": watched.endpoint}, {"Name": "MonitoringSchedule", "Value": name}]
    metrics = watched.cloud.aws("cloudwatch").list_metrics(
        Namespace="aws/sagemaker/Endpoints/data-metrics", Dimensions=dimensions
    )["Metrics"]
    assert {"drift_severity", "feature_data_low_confidence"} <= {one["MetricName"] for one in metrics}


def test_a_window_without_data_is_an_execution_that_failed_for_that_reason_without_a_job(watched: Watched) -> None:
    name = watched.schedule()
    execution = watched.run(name)
    assert (execution["MonitoringExecutionStatus"], execution["FailureReason"]) == ("Failed", "Job inputs had no data")
    assert "ProcessingJobArn" not in execution
    assert len(watched.executions(name)) == 1


def test_now_runs_once_over_its_window_and_the_schedule_stops(watched: Watched) -> None:
    name = watched.schedule(expression="NOW", DataAnalysisStartTime="-PT5H", DataAnalysisEndTime="-PT0H")
    watched.cloud.store.update("MonitoringSchedule", name, {"Since": NOON.timestamp()})
    watched.capture()
    execution = watched.run(name, NOON.timestamp())
    assert execution["MonitoringExecutionStatus"] == "Completed"
    assert watched.job(execution)["Environment"]["start_time"] == "2026-05-04T07:00:00Z"
    assert watched.describe(name)["MonitoringScheduleStatus"] == "Stopped"
    watched.run(name, PAST_NOON + 5 * HOUR)
    assert len(watched.executions(name)) == 1


def test_executions_are_filtered_ordered_and_paged(watched: Watched) -> None:
    name = watched.schedule()
    for hour in range(3):
        watched.run(name, PAST_NOON + hour * HOUR)
    everything = watched.executions(name)
    times = [one["ScheduledTime"] - NOON.timestamp() for one in everything]
    assert times == [2 * HOUR, HOUR, 0]
    request: dict[str, Any] = {"MonitoringScheduleName": name, "SortOrder": "Ascending", "MaxResults": 2}
    first = watched.cloud.call("ListMonitoringExecutions", request)
    rest = watched.cloud.call("ListMonitoringExecutions", {**request, "NextToken": first["NextToken"]})
    assert first["MonitoringExecutionSummaries"] + rest["MonitoringExecutionSummaries"] == everything[::-1]
    after = {"MonitoringScheduleName": name, "ScheduledTimeAfter": NOON.timestamp() + 1, "StatusEquals": "Failed"}
    assert len(watched.cloud.call("ListMonitoringExecutions", after)["MonitoringExecutionSummaries"]) == 2


def job_definition(watched: Watched, kind: str, **source: Any) -> dict[str, Any]:
    inline = watched.definition()
    return {
        "JobDefinitionName": unique("definition"),
        f"{kind}AppSpecification": {"ImageUri": ANALYZER, "Environment": inline["Environment"]},
        f"{kind}JobInput": {**inline["MonitoringInputs"][0], **source},
        f"{kind}JobOutputConfig": inline["MonitoringOutputConfig"],
        "JobResources": inline["MonitoringResources"],
        "RoleArn": ROLE,
    }


@pytest.mark.parametrize("kind", ["DataQuality", "ModelQuality"])
def test_a_job_definition_is_created_described_listed_and_deleted(watched: Watched, kind: str) -> None:
    truth = {"GroundTruthS3Input": {"S3Uri": watched.bucket.uri("labels")}} if kind == "ModelQuality" else {}
    request = job_definition(watched, kind, **truth)
    call, name = watched.cloud.call, {"JobDefinitionName": request["JobDefinitionName"]}
    arn = call(f"Create{kind}JobDefinition", request)["JobDefinitionArn"]
    described = call(f"Describe{kind}JobDefinition", name)
    written = completed(f"Describe{kind}JobDefinition", request)
    assert {member: described[member] for member in request} == {member: written[member] for member in request}
    [listed] = call(f"List{kind}JobDefinitions", {"EndpointName": watched.endpoint})["JobDefinitionSummaries"]
    assert (listed["MonitoringJobDefinitionArn"], listed["EndpointName"]) == (arn, watched.endpoint)
    with pytest.raises(ServiceError) as twice:
        call(f"Create{kind}JobDefinition", request)
    assert code(twice) == "ResourceInUse"
    call(f"Delete{kind}JobDefinition", name)
    with pytest.raises(ServiceError) as gone:
        call(f"Describe{kind}JobDefinition", name)
    assert code(gone) == "ResourceNotFound"


def test_model_quality_joins_captured_answers_with_their_labels(watched: Watched) -> None:
    watched.capture()
    labels = [{"groundTruthData": {"data": str(i % 2), "encoding": "CSV"}, "eventMetadata": {"eventId": f"event-5-{i}"},
               "eventVersion": "0"} for i in range(50)]  # fmt: skip
    watched.bucket.put("labels/2026/05/04/12/a.jsonl", "\n".join(map(json.dumps, labels)))
    truth = {"GroundTruthS3Input": {"S3Uri": watched.bucket.uri("labels")}}
    request = job_definition(watched, "ModelQuality", **truth)
    request["ModelQualityAppSpecification"]["ProblemType"] = "BinaryClassification"
    watched.cloud.call("CreateModelQualityJobDefinition", request)
    name = unique("schedule")
    config = {
        "ScheduleConfig": {
            "ScheduleExpression": "NOW",
            "DataAnalysisStartTime": "-PT2H",
            "DataAnalysisEndTime": "-PT0H",
        },
        "MonitoringJobDefinitionName": request["JobDefinitionName"],
        "MonitoringType": "ModelQuality",
    }
    watched.cloud.call("CreateMonitoringSchedule", {"MonitoringScheduleName": name, "MonitoringScheduleConfig": config})
    watched.cloud.store.update("MonitoringSchedule", name, {"Since": NOON.timestamp() + 1800})
    execution = watched.run(name, NOON.timestamp() + 1800)
    assert execution["MonitoringExecutionStatus"] == "Completed", execution
    statistics = json.loads(watched.read(execution, "statistics.json"))
    assert statistics["dataset"]["item_count"] == 50
    assert 0 < statistics["binary_classification_metrics"]["accuracy"]["value"] < 1
    job = watched.job(execution)
    assert (job["Environment"]["analysis_type"], job["Environment"]["problem_type"]) == (
        "MODEL_QUALITY",
        "BinaryClassification",
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ScheduleConfig": {"ScheduleExpression": "rate(1 hour)"}}, "Accepted"),
        ({"ScheduleConfig": {"ScheduleExpression": "NOW"}}, "DataAnalysisStartTime"),
        ({"MonitoringJobDefinitionName": "another"}, "one of"),
        ({"MonitoringType": "ModelBias"}, "DataQuality and ModelQuality"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(watched: Watched, change: dict[str, Any], words: str) -> None:
    config = {"ScheduleConfig": {"ScheduleExpression": HOURLY}, "MonitoringJobDefinition": watched.quick(), **change}
    with pytest.raises(ServiceError, match=words):
        watched.cloud.call(
            "CreateMonitoringSchedule", {"MonitoringScheduleName": unique("no"), "MonitoringScheduleConfig": config}
        )


def test_an_unknown_image_endpoint_or_definition_is_refused_at_once(watched: Watched) -> None:
    unknown = watched.definition(MonitoringAppSpecification={"ImageUri": "nobody/knows:1"})
    with pytest.raises(ServiceError, match="No local program"):
        watched.schedule(unknown)
    elsewhere = watched.quick()
    elsewhere["MonitoringInputs"][0]["EndpointInput"]["EndpointName"] = "nowhere"
    with pytest.raises(ServiceError, match="Could not find endpoint"):
        watched.schedule(elsewhere)
    config = {"ScheduleConfig": {"ScheduleExpression": HOURLY}, "MonitoringJobDefinitionName": "nothing"}
    with pytest.raises(ServiceError, match="job definition"):
        watched.cloud.call(
            "CreateMonitoringSchedule", {"MonitoringScheduleName": unique("no"), "MonitoringScheduleConfig": config}
        )


def test_a_monitored_endpoint_cannot_be_deleted_before_its_schedules(watched: Watched) -> None:
    name = watched.schedule()
    with pytest.raises(ServiceError, match=name):
        watched.cloud.call("DeleteEndpoint", {"EndpointName": watched.endpoint})
    watched.cloud.call("DeleteMonitoringSchedule", {"MonitoringScheduleName": name})
    watched.cloud.call("DeleteEndpoint", {"EndpointName": watched.endpoint})


def test_the_sdks_own_classes_make_a_schedule_and_read_what_its_execution_wrote(
    endpoints: Clients,
    watched: Watched,
    baseline_folder: Path,
    local_cloud: LocalCloud,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import boto3
    from sagemaker.core.helper.session_helper import Session
    from sagemaker.core.model_monitor import CronExpressionGenerator, DefaultModelMonitor, MonitoringExecution

    for name, value in {**local_cloud.variables, "AWS_ENDPOINT_URL_SAGEMAKER": endpoints.url}.items():
        monkeypatch.setenv(name, value)
    session = Session(boto3.Session(region_name="us-east-1"), sagemaker_client=endpoints.sagemaker)
    watched.capture(120, start=datetime.now(UTC) - timedelta(minutes=45), shade=0.5)
    files = watched.baseline(baseline_folder)
    monitor = DefaultModelMonitor(role=ROLE, sagemaker_session=session, env={"classes": "bicycle,motorcycle"})
    monitor.create_monitoring_schedule(
        endpoint_input=watched.endpoint,
        output_s3_uri=watched.bucket.uri("reports"),
        statistics=files["StatisticsResource"]["S3Uri"],
        constraints=files["ConstraintsResource"]["S3Uri"],
        monitor_schedule_name=unique("sdk"),
        schedule_cron_expression=CronExpressionGenerator.now(),
        data_analysis_start_time="-PT1H",
        data_analysis_end_time="-PT0H",
    )
    eventually(lambda: monitor.describe_schedule()["MonitoringScheduleStatus"] == "Stopped")
    [found] = monitor.list_executions()
    assert isinstance(found, MonitoringExecution)
    assert found.describe()["ExitMessage"].startswith("CompletedWithViolations")
    assert found.statistics().body_dict["dataset"]["item_count"] == 120
    violations = monitor.latest_monitoring_constraint_violations().body_dict["violations"]
    assert {"feature_name", "constraint_check_type", "description"} == set(violations[0])
    assert monitor.latest_monitoring_statistics().body_dict["features"]
    attached = DefaultModelMonitor.attach(monitor.monitoring_schedule_name, sagemaker_session=session)
    assert attached.job_definition_name == monitor.job_definition_name
    attached.delete_monitoring_schedule()
    gone = refused(endpoints.sagemaker.describe_monitoring_schedule, MonitoringScheduleName=found.processing_job_name)
    assert gone["Error"]["Code"] == "ResourceNotFound"

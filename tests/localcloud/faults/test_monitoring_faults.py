"""Monitoring schedules when things go wrong: overlap, missed hours, crashes, programs that fail, torn labels."""

from __future__ import annotations

from capture_files import NOON
from cloud_fixtures import eventually
from job_support import Bucket
from schedule_support import HOURLY, PAST_NOON, Watched

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.jobs import lifecycle
from localcloud.sagemaker.jobs.lifecycle import JobRun
from localcloud.sagemaker.monitoring import merge, scheduler
from localcloud.sagemaker.monitoring.cron import HOUR

WAITS = "echo waiting; until [ -e go ]; do sleep 0.02; done"


def let_go(cloud: Cloud) -> None:
    for job in list(cloud.jobs.values()):
        begun(job)
        if job.folder.home.is_dir():  # one that was cut off has none any more
            (job.folder.home / "go").touch()


def begun(job: JobRun) -> None:
    """Wait until the job's program runs, which says so first."""
    eventually(lambda: job.folder.log.is_file() and "waiting" in job.folder.log.read_text(encoding="utf-8"))


def test_an_execution_waits_until_the_one_before_has_ended_and_then_covers_the_time_between(watched: Watched) -> None:
    watched.capture()
    watched.capture(start=NOON)
    schedule = watched.schedule(watched.quick(WAITS))
    scheduler.step(watched.cloud, PAST_NOON)
    for hour in (1, 2, 3):
        scheduler.step(watched.cloud, PAST_NOON + hour * HOUR)
    assert [one["MonitoringExecutionStatus"] for one in watched.executions(schedule)] == ["InProgress"]
    let_go(watched.cloud)
    watched.settle()
    scheduler.step(watched.cloud, PAST_NOON + 3 * HOUR)
    let_go(watched.cloud)
    watched.settle()
    later, first = watched.executions(schedule)
    assert (first["ScheduledTime"], later["ScheduledTime"]) == (NOON.timestamp(), NOON.timestamp() + 3 * HOUR)
    assert watched.job(later)["Environment"]["start_time"] == "2026-05-04T12:00:00Z"


def test_an_execution_that_a_crash_cut_off_is_failed_and_done_again(watched: Watched) -> None:
    watched.capture()
    schedule = watched.schedule(watched.quick(WAITS))
    scheduler.step(watched.cloud, PAST_NOON)
    [job] = watched.cloud.jobs.values()
    begun(job)
    # What kill -9 leaves: a record in progress, and a process that nobody waits for.
    lifecycle.recover(watched.cloud)
    scheduler.step(watched.cloud, 0.0)
    [cut_off] = watched.executions(schedule)
    assert cut_off["MonitoringExecutionStatus"] == "Failed"
    assert "restarted" in cut_off["FailureReason"]
    scheduler.step(watched.cloud, PAST_NOON)
    let_go(watched.cloud)
    watched.settle()
    latest, _ = watched.executions(schedule)
    assert latest["MonitoringExecutionStatus"] == "Completed"
    assert latest["ScheduledTime"] == cut_off["ScheduledTime"]


def test_a_program_that_fails_is_a_failed_execution_and_the_next_hour_runs(watched: Watched) -> None:
    watched.capture()
    watched.capture(start=NOON)
    schedule = watched.schedule(watched.quick("echo ValueError: out of cheese; exit 1"))
    assert "out of cheese" in watched.run(schedule)["FailureReason"]
    assert watched.run(schedule, PAST_NOON + HOUR)["ScheduledTime"] == NOON.timestamp() + HOUR
    assert len(watched.executions(schedule)) == 2


def test_a_baseline_that_is_gone_is_a_failed_execution_and_not_a_healthy_one(watched: Watched) -> None:
    watched.capture()
    missing = {"StatisticsResource": {"S3Uri": watched.bucket.uri("nowhere/statistics.json")}}
    execution = watched.run(watched.schedule(watched.definition(BaselineConfig=missing)))
    assert execution["MonitoringExecutionStatus"] in {"Failed", "Completed"}
    if execution["MonitoringExecutionStatus"] == "Completed":
        assert watched.job(execution)["ExitMessage"].startswith("NoBaseline")


def test_a_definition_that_was_deleted_fails_the_execution_by_name(watched: Watched) -> None:
    inline = watched.quick()
    definition = {
        "JobDefinitionName": "short-lived",
        "DataQualityAppSpecification": inline["MonitoringAppSpecification"],
        "DataQualityJobInput": inline["MonitoringInputs"][0],
        "DataQualityJobOutputConfig": inline["MonitoringOutputConfig"],
        "JobResources": inline["MonitoringResources"],
        "RoleArn": inline["RoleArn"],
    }
    watched.cloud.call("CreateDataQualityJobDefinition", definition)
    config = {
        "ScheduleConfig": {"ScheduleExpression": HOURLY},
        "MonitoringJobDefinitionName": "short-lived",
        "MonitoringType": "DataQuality",
    }
    request = {"MonitoringScheduleName": "orphan", "MonitoringScheduleConfig": config}
    watched.cloud.call("CreateMonitoringSchedule", request)
    watched.cloud.store.update("MonitoringSchedule", "orphan", {"AnalysedUntil": NOON.timestamp() - HOUR})
    watched.cloud.call("DeleteDataQualityJobDefinition", {"JobDefinitionName": "short-lived"})
    execution = watched.run("orphan")
    assert execution["MonitoringExecutionStatus"] == "Failed"
    assert "short-lived" in execution["FailureReason"]


def test_a_schedule_deleted_during_its_execution_keeps_its_history(watched: Watched) -> None:
    watched.capture()
    schedule = watched.schedule(watched.quick(WAITS))
    scheduler.step(watched.cloud, PAST_NOON)
    watched.cloud.call("DeleteMonitoringSchedule", {"MonitoringScheduleName": schedule})
    let_go(watched.cloud)
    watched.settle()
    assert [one["MonitoringExecutionStatus"] for one in watched.executions(schedule)] == ["Completed"]


def test_a_merge_leaves_torn_lines_and_strangers_out(watched: Watched, bucket: Bucket) -> None:
    watched.capture(3)
    hour = bucket.uri(f"capture/{watched.endpoint}/AllTraffic/2026/05/04/11")
    bucket.put(f"capture/{watched.endpoint}/AllTraffic/2026/05/04/11/torn.jsonl", '{"captureData": {}, "event')
    label = (
        '{{"groundTruthData":{{"data":"1","encoding":"CSV"}},"eventMetadata":{{"eventId":"{}"}},"eventVersion":"0"}}\n'
    )
    bucket.put("labels/2026/05/04/12/a.jsonl", label.format("event-5-1") + label.format("stranger") + "not json\n[]\n")
    assert merge.write(watched.cloud, [hour], bucket.uri("labels"), bucket.uri("merged")) == 1
    assert b'"eventId":"event-5-1"' in bucket.get("merged/merged.jsonl").replace(b" ", b"")
    assert merge.write(watched.cloud, [hour], bucket.uri("nothing"), bucket.uri("empty")) == 0
    assert not bucket.keys("empty")

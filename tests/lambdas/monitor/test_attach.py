"""One schedule for the endpoint, of either scheduler, with the live version's own baseline."""

from __future__ import annotations

import json
from typing import Any

import pytest
from deploy_walker import walked
from fake_aws import FakeAws, Refused, arn
from lambda_support import CONTEXT, MONITOR_PARAMETER

from lambdas import clients
from lambdas.monitor.handler import handler
from lambdas.monitor.program import BOOTSTRAP
from lambdas.outcomes import FailedError

SCHEDULE = "scones-unlimited-monitor"
MISSING = "scones-unlimited-monitor-missing"
NO_QUOTA = (
    "The account-level service limit 'ml.m5.large for processing job usage' is 0 Instances, with current utilization "
    "of 0 Instances and a request delta of 1 Instances."
)
CLOSED = "Model Monitor is not available to new customers"


def deploy(aws: FakeAws, version: int = 1) -> Any:
    aws.register(version)
    return walked({"detail": {"ModelPackageArn": arn(version), "ModelApprovalStatus": "Approved"}})


def record(aws: FakeAws) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(aws.parameters[MONITOR_PARAMETER])
    return found


def refuse(
    aws: FakeAws, operation: str, code: str = "AccessDeniedException", status: int = 400, message: str = CLOSED
) -> None:
    def hook() -> None:
        aws.hooks[operation] = hook
        raise Refused(message, code, status)

    aws.hooks[operation] = hook


def test_a_deployment_attaches_a_monitoring_schedule_with_the_versions_own_baseline(aws: FakeAws) -> None:
    assert deploy(aws).path[-3:] == ["Confirmed?", "NotifyDeployed", "Deployed"]
    [definition] = aws.definitions.values()
    baseline = definition["DataQualityBaselineConfig"]
    assert baseline["StatisticsResource"] == {"S3Uri": "s3://b/1/Statistics"}
    config = aws.schedules[SCHEDULE]["MonitoringScheduleConfig"]
    assert config["MonitoringJobDefinitionName"] == definition["JobDefinitionName"]
    assert config["ScheduleConfig"] == {"ScheduleExpression": "cron(0 * ? * * *)"}
    assert (record(aws)["scheduler"], record(aws)["version"]) == ("model-monitor", 1)
    assert not aws.clock_schedules


def test_the_program_is_told_its_classes_and_threshold_and_fits_into_an_entry_point(aws: FakeAws) -> None:
    deploy(aws)
    [definition] = aws.definitions.values()
    application = definition["DataQualityAppSpecification"]
    assert application["ContainerEntrypoint"] == ["python3", "-c", BOOTSTRAP]
    assert application["ContainerArguments"] == [
        "scones-unlimited-test",
        "code/0123456789abcdef/monitor.zip",
        "monitor",
    ]
    assert len(BOOTSTRAP) <= 256
    assert "\n" not in BOOTSTRAP
    environment = application["Environment"]
    assert (environment["classes"], environment["confidence_threshold"]) == ("bicycle,motorcycle", "0.93")


def test_the_next_version_takes_the_schedule_over(aws: FakeAws) -> None:
    deploy(aws)
    [first] = aws.definitions
    deploy(aws, 2)
    [second] = aws.definitions
    assert first != second
    assert list(aws.schedules) == [SCHEDULE]
    assert aws.schedules[SCHEDULE]["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"] == second
    assert record(aws)["version"] == 2


def test_an_account_without_model_monitor_gets_the_other_scheduler_and_is_told_why(aws: FakeAws) -> None:
    refuse(aws, "CreateMonitoringSchedule")
    assert deploy(aws).path[-1] == "Deployed"
    found = record(aws)
    assert found["scheduler"] == "eventbridge"
    assert CLOSED in found["why"]
    assert "AccessDeniedException" in found["why"]
    target = aws.clock_schedules[SCHEDULE]["Target"]
    assert json.loads(target["Input"]) == {"action": "start"}
    assert target["Arn"] == CONTEXT.invoked_function_arn
    assert not aws.definitions, "nothing is left of the attempt"


def test_attaching_twice_updates_the_same_schedule(aws: FakeAws) -> None:
    refuse(aws, "CreateMonitoringSchedule")
    deploy(aws)
    answer = handler({"action": "attach"}, CONTEXT)
    assert answer["outcome"] == "ok"
    assert answer["message"] == "Version 1 is watched again."
    assert list(aws.clock_schedules) == [SCHEDULE]


def test_trouble_that_may_pass_is_not_taken_for_a_closed_service(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(aws)
    refuse(aws, "UpdateMonitoringSchedule", "ThrottlingException")
    once = clients._config(attempts=1, read_timeout=20)
    monkeypatch.setattr(clients, "_config", lambda **_: once)
    clients.sagemaker.cache_clear()
    answer = handler({"action": "attach"}, CONTEXT)
    assert (answer["outcome"], answer["error"]) == ("failed", "Throttled")
    assert record(aws)["scheduler"] == "model-monitor"
    assert not aws.clock_schedules


def test_the_setting_decides_instead_of_trying(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCHEDULER", "eventbridge")
    deploy(aws)
    assert record(aws)["scheduler"] == "eventbridge"
    assert "CreateMonitoringSchedule" not in aws.calls
    monkeypatch.setenv("SCHEDULER", "model-monitor")
    refuse(aws, "CreateMonitoringSchedule")
    assert handler({"action": "attach"}, CONTEXT)["outcome"] == "failed"


def test_a_change_of_scheduler_leaves_one_schedule(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(aws)
    monkeypatch.setenv("SCHEDULER", "eventbridge")
    handler({"action": "attach"}, CONTEXT)
    assert (list(aws.schedules), list(aws.clock_schedules)) == ([], [SCHEDULE])
    monkeypatch.setenv("SCHEDULER", "auto")
    handler({"action": "attach"}, CONTEXT)
    assert (list(aws.schedules), list(aws.clock_schedules)) == ([SCHEDULE], [])


def test_a_version_that_cannot_be_watched_is_live_and_people_are_told(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCHEDULER", "model-monitor")
    refuse(aws, "CreateMonitoringSchedule")
    walk = deploy(aws)
    assert walk.path[-2:] == ["NotifyUnwatched", "Deployed"]
    [(title, message)] = walk.messages
    assert title == "Scones: model deployed, and not watched"
    assert message.startswith("Version 1 of scones-unlimited is live on endpoint scones-unlimited.")
    assert aws.live["EndpointStatus"] == "InService"


def test_a_version_without_a_baseline_is_watched_and_people_are_told(aws: FakeAws) -> None:
    aws.register(1)
    del aws.packages[arn(1)]["DriftCheckBaselines"]
    walk = walked({"model_package_arn": arn(1)})
    assert "without a baseline" in walk.messages[0][1]
    [definition] = aws.definitions.values()
    assert "DataQualityBaselineConfig" not in definition


def test_detaching_leaves_nothing_of_either_scheduler_and_may_be_repeated(aws: FakeAws) -> None:
    deploy(aws)
    assert handler({"action": "detach"}, CONTEXT)["message"] == f"Schedule {SCHEDULE} is deleted."
    assert (aws.schedules, aws.definitions, aws.clock_schedules, record(aws)) == ({}, {}, {}, {})
    assert handler({"action": "detach"}, CONTEXT)["message"] == f"There is no schedule {SCHEDULE}."


def test_with_nothing_live_there_is_nothing_to_attach_to(aws: FakeAws) -> None:
    aws.parameters["/scones-unlimited/inference/live-model"] = "{}"
    answer = handler({"action": "attach"}, CONTEXT)
    assert (answer["outcome"], answer["error"]) == ("failed", "NothingLive")


def test_a_run_without_anything_watched_or_with_a_wrong_window_is_refused_by_name(aws: FakeAws) -> None:
    assert handler({"action": "run", "start": "x"}, CONTEXT)["error"] == "NothingWatched"
    deploy(aws)
    assert handler({"action": "run", "start": "x"}, CONTEXT)["error"] == "BadWindow"
    empty = {"start": "2026-05-04T12:00:00Z", "end": "2026-05-04T12:00:00Z"}
    assert handler({"action": "run", **empty}, CONTEXT)["error"] == "BadWindow"
    assert handler({"action": "dance"}, CONTEXT)["error"] == "BadAction"


def test_a_call_of_the_scheduler_before_the_hour_is_over_does_nothing(aws: FakeAws) -> None:
    assert handler({"action": "start"}, CONTEXT)["outcome"] == "nothing"
    deploy(aws)
    answer = handler({"action": "start"}, CONTEXT)
    assert answer["outcome"] == "nothing"
    assert "is analysed" in answer["message"]


@pytest.fixture
def watched(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    """A live version, registered without a baseline, whose last hour is due to be analysed by EventBridge Scheduler."""
    monkeypatch.setenv("SCHEDULER", "eventbridge")
    aws.register(1)
    del aws.packages[arn(1)]["DriftCheckBaselines"]
    walked({"model_package_arn": arn(1)})
    aws.parameters[MONITOR_PARAMETER] = json.dumps(record(aws) | {"analysed_until": 1_700_000_000})
    return aws


def test_a_quota_of_zero_is_raised_where_the_schedule_reads_no_answer_and_told_to_people_who_do(
    watched: FakeAws,
) -> None:
    """A new account's quota of many instance types is 0; Lambda tries a raised failure again, then keeps the event."""
    refuse(watched, "CreateProcessingJob", "ResourceLimitExceeded", message=NO_QUOTA)
    event = json.loads(watched.clock_schedules[SCHEDULE]["Target"]["Input"])
    with pytest.raises(FailedError, match=r"ResourceLimitExceeded: .*is 0 Instances"):
        handler(event, CONTEXT)
    by_hand = {"action": "run", "start": "2026-05-04T12:00:00Z", "end": "2026-05-04T13:00:00Z"}
    assert handler(by_hand, CONTEXT)["error"] == "ResourceLimitExceeded"
    assert record(watched)["analysed_until"] == 1_700_000_000, "the next run covers the hours that were missed"
    del watched.hooks["CreateProcessingJob"]
    assert handler(event, CONTEXT)["outcome"] == "ok"
    assert len(watched.jobs) == 1


def test_a_schedule_keeps_what_it_cannot_deliver(watched: FakeAws) -> None:
    target = watched.clock_schedules[SCHEDULE]["Target"]
    assert target["DeadLetterConfig"]["Arn"].endswith(":scones-unlimited-undelivered")
    assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0


def test_an_alarm_rings_for_missing_runs_as_long_as_an_endpoint_is_watched(watched: FakeAws) -> None:
    alarm = watched.alarms[MISSING]
    assert (alarm["MetricName"], alarm["Statistic"], alarm["TreatMissingData"]) == (
        *("RunsFailed", "SampleCount"),
        "breaching",
    )
    handler({"action": "detach"}, CONTEXT)
    assert MISSING not in watched.alarms


def test_silence_of_model_monitor_is_wrong_only_with_traffic(aws: FakeAws) -> None:
    """SageMaker starts no job for a window without captured data."""
    deploy(aws)
    alarm = aws.alarms[MISSING]
    measured = [one["MetricStat"]["Metric"]["MetricName"] for one in alarm["Metrics"] if "MetricStat" in one]
    assert measured == ["RunsFailed", "Invocations"]
    assert alarm["TreatMissingData"] == "notBreaching"


def test_a_refusal_of_model_monitor_does_not_keep_the_other_schedule(watched: FakeAws) -> None:
    for operation in ("DescribeMonitoringSchedule", "ListDataQualityJobDefinitions"):
        refuse(watched, operation)
    answer = handler({"action": "detach"}, CONTEXT)
    assert answer["outcome"] == "ok"
    assert f"Schedule {SCHEDULE} is deleted. Not asked: deleting monitoring schedule {SCHEDULE}" in answer["message"]
    assert CLOSED in answer["message"]
    assert (watched.clock_schedules, record(watched)) == ({}, {})


def test_what_a_rule_cannot_detach_is_raised_after_the_rest_was_deleted(aws: FakeAws) -> None:
    deploy(aws)
    refuse(aws, "DeleteMonitoringSchedule")
    with pytest.raises(FailedError, match=CLOSED):
        handler({"action": "detach", "unattended": True}, CONTEXT)
    assert MISSING not in aws.alarms
    assert record(aws)["scheduler"] == "model-monitor", "the next attempt knows what is left"
    assert handler({"action": "detach"}, CONTEXT)["outcome"] == "failed"


def test_two_runs_that_attach_at_once_both_succeed(aws: FakeAws) -> None:
    """Neither looks first whether there is a schedule: the other one may make it in between."""
    deploy(aws)
    assert handler({"action": "attach"}, CONTEXT)["outcome"] == "ok"
    [name] = aws.definitions
    refuse(aws, "UpdateMonitoringSchedule", "ThrottlingException", message="no more")
    assert "no more" in handler({"action": "attach"}, CONTEXT)["problem"]
    assert list(aws.definitions) == [name], "what the living schedule uses stays"
    assert aws.schedules[SCHEDULE]["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"] == name

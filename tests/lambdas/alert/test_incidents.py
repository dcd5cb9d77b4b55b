"""What people are told: which problems there are, each once, with what, how much, since when and where to look."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from job_support import Bucket
from lambda_support import CONTEXT

from lambdas.alert import alarms, runs
from lambdas.alert.handler import handler
from lambdas.alert.incidents import REMIND_SECONDS, TELLING_SECONDS, report
from lambdas.alert.problem import AlertProblem, subject, text
from lambdas.outcomes import FailedError

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
DRIFT = AlertProblem(
    "drift", True, "Traffic differs", ("brightness: 0.6 exceeds 0.05", "contrast: 0.3"), ("here", "there")
)
JOB: dict[str, Any] = {
    "ProcessingJobName": "scones-unlimited-monitor-2026050412",
    "ProcessingJobStatus": "Completed",
    "Environment": {"sagemaker_endpoint_name": "scones-unlimited", "sampling_percentage": "50"},
    "ProcessingOutputConfig": {"Outputs": [{"S3Output": {"S3Uri": "s3://bucket/monitor/run"}}]},
}
SUMMARY: dict[str, Any] = {
    "outcome": "Completed",
    "message": "Completed: fine.",
    "endpoint": "scones-unlimited",
    "window": {"start": "2026-05-04T11:00:00+00:00", "end": "2026-05-04T12:00:00+00:00"},
    "records": 100,
    "reading": {"bad": 0},
    "confidence_threshold": 0.93,
    "low_confidence_share": 0.4,
    "baseline_low_confidence_share": 0.2,
    "metrics": [],
}


def violation(feature: str) -> dict[str, str]:
    return {"feature_name": feature, "constraint_check_type": "baseline_drift_check", "description": "0.6 exceeds 0.05"}


def firing(found: dict[str, Any] | None, *broken: str, share: float | None = None) -> dict[str, bool]:
    return {one.key: one.firing for one in runs.problems(JOB, found, [violation(name) for name in broken], share)}


def test_a_message_says_what_how_much_since_when_and_where() -> None:
    told = text(DRIFT, NOON, times=3).splitlines()
    assert told[0] == "What: Traffic differs"
    assert told[1:3] == ["How much: brightness: 0.6 exceeds 0.05", "          contrast: 0.3"]
    assert told[3] == "Since: 2026-05-04 12:00 UTC, reported 3 times"
    assert [line.split()[-1] for line in told[4:]] == ["here", "there"]


def test_a_subject_is_ascii_and_at_most_what_sns_takes() -> None:
    long = subject(replace(DRIFT, what="Größe " * 40))
    assert long.isascii()
    assert len(long) == 100
    assert subject(replace(DRIFT, firing=False)) == "Scones: over: Traffic differs"


def test_a_healthy_run_says_that_nothing_is_wrong_any_more() -> None:
    expected = {"monitor-failed": False, "no-baseline": False, "low-confidence": False, "drift": False}
    assert firing(SUMMARY) == expected
    assert firing(SUMMARY, share=0.9) == {**expected, "capture-rate": False}


def test_drift_and_low_confidence_are_problems_of_their_own() -> None:
    found = {**SUMMARY, "outcome": "CompletedWithViolations"}
    assert firing(found, "brightness")["drift"]
    assert not firing(found, "brightness")["low-confidence"]
    assert firing(found, "low_confidence") == {
        "monitor-failed": False, "no-baseline": False, "low-confidence": True, "drift": False
    }  # fmt: skip


@pytest.mark.parametrize("outcome", ["NoData", "TooFewRecords"])
def test_a_run_without_a_verdict_ends_no_problem_and_begins_none(outcome: str) -> None:
    assert firing({**SUMMARY, "outcome": outcome}) == {"monitor-failed": False, "no-baseline": False}


def test_a_run_without_a_baseline_and_one_that_failed_are_problems() -> None:
    assert firing({**SUMMARY, "outcome": "NoBaseline"}) == {"monitor-failed": False, "no-baseline": True}
    assert firing(None) == {"monitor-failed": True}


def test_labels_that_say_the_model_is_worse_are_a_problem() -> None:
    quality = {"outcome": "CompletedWithViolations", "message": "m", "labelled": 60}
    assert firing(quality, "accuracy") == {"monitor-failed": False, "model-quality": True}
    assert firing({**quality, "outcome": "TooFewRecords"}) == {"monitor-failed": False}


class Invocations:
    """CloudWatch, as far as it counts invocations."""

    def __init__(self, *sums: float) -> None:
        self.sums = sums

    def get_metric_statistics(self, **request: Any) -> dict[str, Any]:
        assert request["Period"] % 60 == 0
        assert (request["EndTime"] - request["StartTime"]).total_seconds() / request["Period"] <= 1440
        return {"Datapoints": [{"Sum": value} for value in self.sums]}


def test_the_capture_rate_is_of_what_was_to_be_captured() -> None:
    assert runs.captured_share(Invocations(150, 50), SUMMARY, JOB) == 1.0  # half of 200 is to be captured, 100 were
    assert runs.captured_share(Invocations(400), SUMMARY, JOB) == 0.5


def test_no_capture_rate_is_told_where_it_would_be_a_guess() -> None:
    odd = {**SUMMARY, "window": {"start": "2026-05-04T11:00:07+00:00", "end": "2026-05-04T12:00:00+00:00"}}
    assert runs.captured_share(Invocations(200), odd, JOB) is None
    assert runs.captured_share(Invocations(20), SUMMARY, JOB) is None
    assert runs.captured_share(Invocations(), SUMMARY, JOB) is None
    week = {**SUMMARY, "window": {"start": "2026-04-27T11:00:00+00:00", "end": "2026-05-04T12:00:00+00:00"}}
    assert runs.captured_share(Invocations(200), week, JOB) == 1.0


def alarm(name: str, state: str) -> dict[str, Any]:
    return {
        "AlarmName": f"scones-unlimited-{name}",
        "AlarmDescription": "The endpoint fails.",
        "NewStateValue": state,
        "NewStateReason": "Threshold Crossed: 0.3 > 0.02",
        "Trigger": {"Namespace": "AWS/SageMaker", "MetricName": "Invocation5XXErrors"},
    }


class Alarms:
    """CloudWatch, as far as it says in which state an alarm is now."""

    def __init__(self, *states: str) -> None:
        self.states = states

    def describe_alarms(self, **request: Any) -> dict[str, Any]:
        assert request == {"AlarmNames": ["scones-unlimited-endpoint-5xx"], "AlarmTypes": ["MetricAlarm"]}
        return {"MetricAlarms": [{"StateValue": state, "StateReason": f"now {state}"} for state in self.states]}


def of_alarm(name: str, state: str) -> AlertProblem | None:
    return alarms.problem(alarm(name, state), "scones-unlimited", state, "Threshold Crossed: 0.3 > 0.02")


@pytest.mark.parametrize(
    ("said", "now", "told"),
    [
        ("ALARM", ["ALARM"], ("ALARM", "now ALARM")),
        ("ALARM", ["OK"], ("OK", "now OK")),  # delivered late: it is over
        ("OK", ["ALARM"], ("ALARM", "now ALARM")),  # and this one came after the next change
        ("OK", ["INSUFFICIENT_DATA"], ("OK", "Threshold Crossed: 0.3 > 0.02")),
        ("ALARM", [], ("ALARM", "Threshold Crossed: 0.3 > 0.02")),  # the alarm was deleted since
    ],
)
def test_what_counts_is_the_state_that_the_alarm_is_in_now(said: str, now: list[str], told: tuple[str, str]) -> None:
    assert alarms.present(alarm("endpoint-5xx", said), Alarms(*now)) == told


def test_an_alarm_is_a_problem_and_its_end_is_one_that_is_over() -> None:
    found = of_alarm("endpoint-5xx", "ALARM")
    assert found is not None
    assert (found.key, found.firing, found.what) == ("endpoint-5xx", True, "The endpoint fails")
    assert found.measured == ("Threshold Crossed: 0.3 > 0.02",)
    over = of_alarm("endpoint-5xx", "OK")
    assert over is not None
    assert not over.firing
    assert of_alarm("endpoint-5xx", "INSUFFICIENT_DATA") is None


@pytest.mark.parametrize("key", alarms.JUDGED)
def test_a_metric_of_the_monitor_that_ends_is_not_the_end_of_its_problem(key: str) -> None:
    assert of_alarm(key, "OK") is None
    found = of_alarm(key, "ALARM")
    assert found is not None
    assert found.key == key


def test_the_keys_of_alarms_and_of_runs_are_the_same() -> None:
    """Else one problem would be told twice: by the alarm, and by the run."""
    said = {*firing(SUMMARY, share=1.0), *firing(None)}
    assert set(alarms.JUDGED) <= said


class Desk:
    """An SNS that keeps what is published, or refuses it."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.down = False

    def publish(self, **message: str) -> None:
        if self.down:
            raise ClientError({"Error": {"Code": "AuthorizationError", "Message": "no"}}, "Publish")
        assert set(message) == {"TopicArn", "Subject", "Message"}
        self.heard.append(message["Subject"])


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def tell(bucket: Bucket, desk: Desk) -> Iterator[Any]:
    def at(problem: AlertProblem, later: float = 0.0) -> bool:
        return report(problem, bucket.s3, desk, bucket.name, "topic", NOON + timedelta(seconds=later))

    yield at


def test_a_problem_is_told_when_it_begins_and_when_it_is_over(tell: Any, desk: Desk, bucket: Bucket) -> None:
    assert tell(DRIFT)
    assert not tell(DRIFT, 3600)
    assert json.loads(bucket.get("alerts/open/drift.json"))["times"] == 2
    assert tell(replace(DRIFT, firing=False), 7200)
    assert not tell(replace(DRIFT, firing=False), 7201)
    assert tell(DRIFT, 7300)
    assert desk.heard == ["Scones: Traffic differs", "Scones: over: Traffic differs", "Scones: Traffic differs"]


def test_a_problem_that_stays_is_told_again_after_a_day(tell: Any, desk: Desk) -> None:
    assert tell(DRIFT)
    assert not tell(DRIFT, REMIND_SECONDS - 1)
    assert tell(DRIFT, REMIND_SECONDS)
    assert not tell(DRIFT, REMIND_SECONDS + 3600)
    assert len(desk.heard) == 2


def test_an_open_problem_is_remembered_with_its_numbers_and_how_often_it_was_told(tell: Any, bucket: Bucket) -> None:
    tell(DRIFT)
    tell(replace(DRIFT, measured=("brightness: 0.7",)), 60)
    tell(replace(DRIFT, measured=("brightness: 0.8",)), REMIND_SECONDS)
    known = json.loads(bucket.get("alerts/open/drift.json"))
    assert (known["what"], known["measured"]) == ("Traffic differs", ["brightness: 0.8"])
    assert (known["since"], known["times"], known["told"]) == (NOON.isoformat(), 3, 2)


def test_what_a_run_measured_is_not_overwritten_by_the_alarm_on_one_number_of_it(
    tell: Any, bucket: Bucket, desk: Desk
) -> None:
    [measured] = [
        one for one in runs.problems(JOB, {**SUMMARY, "outcome": "CompletedWithViolations"}, [violation("hue")], None)
        if one.key == "drift"
    ]  # fmt: skip
    rang = of_alarm("drift", "ALARM")
    assert rang is not None
    tell(measured)
    tell(rang, 60)
    tell(rang, REMIND_SECONDS)
    known = json.loads(bucket.get("alerts/open/drift.json"))
    assert (known["what"], known["times"]) == ("Traffic differs from the baseline: hue", 3)
    assert known["measured"] == ["100 requests", "hue: 0.6 exceeds 0.05"]
    assert desk.heard == ["Scones: Traffic differs from the baseline: hue"] * 2


def test_a_run_says_more_precisely_what_an_alarm_told_first(tell: Any, bucket: Bucket) -> None:
    tell(replace(DRIFT, what="Traffic differs from the baseline", measured=("Threshold Crossed",)))
    tell(replace(DRIFT, what="Traffic differs: hue", measured=("hue: 0.6",), by_run=True, version="2"), 60)
    known = json.loads(bucket.get("alerts/open/drift.json"))
    assert (known["what"], known["measured"], known["version"]) == ("Traffic differs: hue", ["hue: 0.6"], "2")


def test_the_problem_of_another_version_is_another_problem(tell: Any, bucket: Bucket, desk: Desk) -> None:
    of_first, of_second = (replace(DRIFT, by_run=True, version=number) for number in "12")
    assert tell(of_first)
    assert not tell(of_first, 3600)
    assert tell(of_second, 7200)
    known = json.loads(bucket.get("alerts/open/drift.json"))
    assert (known["since"], known["times"]) == ((NOON + timedelta(hours=2)).isoformat(), 1)
    assert len(desk.heard) == 2


def test_another_problem_is_told_beside_it(tell: Any, desk: Desk) -> None:
    assert tell(DRIFT)
    assert tell(replace(DRIFT, key="capture-rate"))
    assert len(desk.heard) == 2


def test_what_could_not_be_told_is_told_by_the_next_attempt(tell: Any, desk: Desk) -> None:
    desk.down = True
    with pytest.raises(FailedError):
        tell(DRIFT)
    desk.down = False
    assert not tell(DRIFT, TELLING_SECONDS - 1), "somebody else may be telling it at this moment"
    assert tell(DRIFT, TELLING_SECONDS)
    assert desk.heard == ["Scones: Traffic differs"]


def test_a_problem_that_is_over_is_told_until_it_was_told(tell: Any, desk: Desk) -> None:
    tell(DRIFT)
    desk.down = True
    with pytest.raises(FailedError):
        tell(replace(DRIFT, firing=False), 60)
    desk.down = False
    assert tell(replace(DRIFT, firing=False), 120)


def test_of_two_that_report_at_the_same_moment_one_tells(bucket: Bucket, desk: Desk) -> None:
    class Slow:
        """S3 in which somebody else opens the incident between the look and the write."""

        def __getattr__(self, name: str) -> Any:
            return getattr(bucket.s3, name)

        def get_object(self, **request: Any) -> Any:
            try:
                return bucket.s3.get_object(**request)
            finally:
                report(DRIFT, bucket.s3, desk, bucket.name, "topic", NOON)

    assert not report(DRIFT, Slow(), desk, bucket.name, "topic", NOON)
    assert len(desk.heard) == 1


@pytest.fixture
def worker(bucket: Bucket, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The function, as a worker of its own each time: what it heard, and S3, SNS and CloudWatch as it sees them."""
    for name, value in (("BUCKET", bucket.name), ("ALERTS_TOPIC", "topic"), ("PROJECT", "scones-unlimited")):
        monkeypatch.setenv(name, value)

    def hear(said: str, cloudwatch: Any, s3: Any = bucket.s3, sns: Any = desk) -> list[str]:
        message = json.dumps(alarm("endpoint-5xx", said))
        with monkeypatch.context() as patched:
            for name, client in (("s3", s3), ("sns", sns), ("cloudwatch", cloudwatch)):
                patched.setattr(f"lambdas.clients.{name}", lambda client=client: client)
            told: list[str] = handler({"Records": [{"Sns": {"Message": message}}]}, CONTEXT)["told"]
        return told

    yield hear


def test_an_alarm_that_was_over_before_its_first_message_came_leaves_no_problem_open(
    worker: Any, bucket: Bucket, desk: Desk
) -> None:
    def hear(said: str, now: str) -> Any:
        return worker(said, Alarms(now))

    assert hear("OK", "OK") == hear("ALARM", "OK") == []
    assert bucket.keys("alerts/") == []
    assert hear("ALARM", "ALARM") == ["endpoint-5xx"]
    assert hear("OK", "ALARM") == []  # a late word of an earlier end
    assert bucket.keys("alerts/") == ["alerts/open/endpoint-5xx.json"]
    assert hear("OK", "OK") == ["endpoint-5xx"]
    assert desk.heard == ["Scones: The endpoint fails", "Scones: over: The endpoint fails"]


class Interrupted:
    """A client in front of which something happens once, before its first call of one operation."""

    def __init__(self, client: Any, operation: str, first: Callable[[], object]) -> None:
        self.client, self.operation, self.first = client, operation, [first]

    def __getattr__(self, name: str) -> Any:
        if name == self.operation and self.first:
            self.first.pop()()
        return getattr(self.client, name)


@pytest.mark.parametrize("operation", ["get_object", "put_object", "publish"])
def test_an_alarm_that_ends_while_another_worker_opens_its_problem_leaves_none_open(
    worker: Any, bucket: Bucket, desk: Desk, operation: str
) -> None:
    cloudwatch = Alarms("ALARM")

    def end() -> None:
        cloudwatch.states = ("OK",)
        worker("OK", cloudwatch)

    worker("ALARM", cloudwatch, Interrupted(bucket.s3, operation, end), Interrupted(desk, operation, end))
    assert bucket.keys("alerts/") == []
    assert desk.heard[-1] == "Scones: over: The endpoint fails"


@pytest.mark.parametrize("operation", ["get_object", "delete_object", "publish"])
def test_an_alarm_that_begins_anew_while_another_worker_closes_its_problem_stays_open(
    worker: Any, bucket: Bucket, desk: Desk, operation: str
) -> None:
    cloudwatch = Alarms("ALARM")
    worker("ALARM", cloudwatch)

    def begin_anew() -> None:
        cloudwatch.states = ("ALARM",)
        worker("ALARM", cloudwatch)

    cloudwatch.states = ("OK",)
    worker("OK", cloudwatch, Interrupted(bucket.s3, operation, begin_anew), Interrupted(desk, operation, begin_anew))
    assert bucket.keys("alerts/") == ["alerts/open/endpoint-5xx.json"]
    assert desk.heard[-1] == "Scones: The endpoint fails"

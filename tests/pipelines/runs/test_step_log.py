"""The last lines of a job's or a function's log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from service_stubs import Stubs

from pipelines.runs import step_log
from pipelines.runs.step_log import Log

BEGAN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def test_lines_of_several_instances_are_one_log_and_only_its_end(stubs: Stubs) -> None:
    streams = [{"logStreamName": f"job/algo-{n}"} for n in (1, 2)]
    stubs["logs"].add_response(
        "describe_log_streams",
        {"logStreams": streams},
        {"logGroupName": "g", "logStreamNamePrefix": "job/", "limit": step_log.MOST_STREAMS},
    )
    for times in ((1, 4), (2, 3)):
        events = [{"timestamp": moment, "message": f"line {moment}"} for moment in times]
        stubs["logs"].add_response("get_log_events", {"events": events})
    assert step_log.tail(Log("g", "job/"), 3) == ["line 2", "line 3", "line 4"]


def test_a_group_that_is_not_there_is_an_empty_log(stubs: Stubs) -> None:
    stubs["logs"].add_client_error("describe_log_streams", "ResourceNotFoundException", "no group", 400)
    assert step_log.tail(Log("g", "job/"), 3) == []


def test_of_a_log_that_others_write_to_as_well_only_a_time_is_read(stubs: Stubs) -> None:
    stubs["logs"].add_response(
        "filter_log_events",
        {"events": [{"timestamp": 2, "message": "second\n"}, {"timestamp": 1, "message": "first\n"}]},
        {"logGroupName": "/aws/lambda/split", "startTime": 1795168800000, "endTime": 1795168814000},
    )
    log = Log("/aws/lambda/split", since=BEGAN, until=BEGAN + timedelta(seconds=14))
    assert step_log.tail(log, 10) == ["first", "second"]

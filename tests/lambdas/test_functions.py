"""The three functions as Lambda calls them: the course's event in, an outcome out, whatever the services do."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from botocore.stub import Stubber
from fake_aws import FakeAws, probabilities, refusal
from lambda_support import CONTEXT, THRESHOLD_PARAMETER, UNFAMILIARITY_PARAMETER, forget, object_answer, picture

from lambdas import clients
from lambdas.classify_image.handler import handler as classify
from lambdas.filter_inferences import threshold
from lambdas.filter_inferences.handler import handler as decide
from lambdas.serialize_image.handler import handler as serialize

PLACE = {"s3_bucket": "scones-test", "s3_key": "incoming/a b+ü.png"}
PNG = base64.b64encode(picture()).decode()


class TestSerialize:
    def test_it_fills_image_data_and_keeps_the_rest(self, s3: Stubber) -> None:
        s3.add_response("get_object", object_answer(picture(size=(300, 200), kind="JPEG")), self.asked())
        result = serialize({**PLACE, "threshold": 0.5, "extra": [1]}, CONTEXT)
        assert base64.b64decode(result["image_data"]).startswith(b"\x89PNG")
        assert result | {"image_data": ""} == {
            **PLACE, "image_data": "", "inferences": [], "threshold": 0.5, "extra": [1], "outcome": "ok"
        }  # fmt: skip

    @pytest.mark.parametrize("wrap", [dict, json.dumps])
    def test_a_wrapped_event_is_answered_wrapped(self, s3: Stubber, wrap: Any) -> None:
        s3.add_response("get_object", object_answer(picture()), self.asked())
        result = serialize({"statusCode": 200, "body": wrap(PLACE)}, CONTEXT)
        body = json.loads(result["body"]) if wrap is json.dumps else result["body"]
        assert (result["statusCode"], body["outcome"]) == (200, "ok")

    def test_an_s3_notification_has_an_encoded_key_and_an_eventbridge_event_has_not(self, s3: Stubber) -> None:
        notification = {"Records": [{"s3": {"bucket": {"name": "scones-test"}, "object": {"key": "a+b%2B%C3%BC.png"}}}]}
        event = {"source": "aws.s3", "detail": {"bucket": {"name": "scones-test"}, "object": {"key": "a+b%2B.png"}}}
        for sent, key in ((notification, "a b+ü.png"), (event, "a+b%2B.png")):
            s3.add_response("get_object", object_answer(picture()), {"Bucket": "scones-test", "Key": key})
            assert serialize(sent, CONTEXT)["s3_key"] == key

    @pytest.mark.parametrize(
        ("code", "status", "outcome", "error"),
        [
            ("NoSuchKey", 404, "bad_input", "ImageNotFound"),
            ("NoSuchBucket", 404, "bad_input", "BucketNotFound"),
            ("AccessDenied", 403, "failed", "AccessDenied"),
            ("SlowDown", 503, "retry", "Throttled"),
            ("InternalError", 500, "retry", "Unavailable"),
            ("RequestTimeout", 400, "retry", "TimedOut"),
            ("InvalidObjectState", 403, "failed", "InvalidObjectState"),
        ],
    )
    def test_what_s3_says_decides_between_retry_and_refusal(
        self, s3: Stubber, code: str, status: int, outcome: str, error: str
    ) -> None:
        s3.add_client_error("get_object", code, "no", status)
        result = serialize(PLACE, CONTEXT)
        assert (result["outcome"], result["error"]) == (outcome, error)
        assert json.loads(result["cause"])["image"] == "s3://scones-test/incoming/a b+ü.png"

    def test_a_huge_object_is_refused_by_its_length_alone(self, s3: Stubber) -> None:
        answer = object_answer(b"", length=90_000_000)
        answer["Body"].read = lambda *_: pytest.fail("read")
        s3.add_response("get_object", answer, self.asked())
        assert serialize(PLACE, CONTEXT)["error"] == "ImageRefused"

    def test_no_image_bytes_reach_the_log(self, s3: Stubber, capfd: pytest.CaptureFixture[str]) -> None:
        s3.add_response("get_object", object_answer(picture()), self.asked())
        result = serialize(PLACE, CONTEXT)
        printed = "".join(capfd.readouterr())
        assert result["image_data"][:24] not in printed

    def asked(self) -> dict[str, str]:
        return {"Bucket": PLACE["s3_bucket"], "Key": PLACE["s3_key"]}


class TestClassify:
    def test_raw_bytes_go_out_and_probabilities_come_back(self, function_environment: FakeAws) -> None:
        event = {**PLACE, "image_data": PNG, "inferences": [], "execution": {"name": "run-1"}}
        result = classify(event, CONTEXT)
        headers, body = function_environment.invocations[0]
        assert body == picture()
        assert headers["Content-Type"] == "image/png"
        assert headers["X-Amzn-SageMaker-Inference-Id"] == "run-1"
        assert (result["inferences"], result["outcome"]) == ([0.96, 0.04], "ok")

    def test_a_long_execution_name_becomes_a_digest_and_none_the_request_id(
        self, function_environment: FakeAws
    ) -> None:
        classify({"image_data": PNG, "execution": {"name": "x" * 80}}, CONTEXT)
        classify({"image_data": PNG}, CONTEXT)
        ids = [headers["X-Amzn-SageMaker-Inference-Id"] for headers, _ in function_environment.invocations]
        assert len(ids[0]) == 64
        assert ids[1] == CONTEXT.aws_request_id

    @pytest.mark.parametrize(
        ("answer", "outcome", "error"),
        [
            (refusal("ThrottlingException", 400), "retry", "Throttled"),
            (refusal("ModelNotReadyException", 429), "retry", "Throttled"),
            (refusal("ServiceUnavailable", 503), "retry", "Unavailable"),
            (refusal("InternalFailure", 500), "retry", "Unavailable"),
            (refusal("InternalDependencyException", 530), "retry", "Unavailable"),
            (refusal("ModelError", 424, OriginalStatusCode=500), "retry", "Unavailable"),
            (refusal("ModelError", 424, OriginalStatusCode=503), "retry", "Unavailable"),
            (refusal("ModelError", 424, OriginalStatusCode=429), "retry", "Throttled"),
            (refusal("ModelError", 424, OriginalStatusCode=504), "retry", "TimedOut"),
            (refusal("ModelError", 424), "retry", "TimedOut"),
            (refusal("ModelError", 424, OriginalStatusCode=415), "bad_input", "ModelRefusedImage"),
            (refusal("ModelError", 424, OriginalStatusCode=400), "bad_input", "ModelRefusedImage"),
            (refusal("ValidationError", 400, "Endpoint x of account y not found."), "failed", "ValidationError"),
            (refusal("AccessDeniedException", 403), "failed", "AccessDenied"),
            ((0, {}, b""), "retry", "Unavailable"),
            ((200, {}, b""), "failed", "MalformedAnswer"),
            ((200, {}, b"<html>"), "failed", "MalformedAnswer"),
            ((200, {}, b"{}"), "failed", "MalformedAnswer"),
            ((200, {}, b"[0.5]"), "failed", "MalformedAnswer"),
            ((200, {}, b"[NaN, 0.5]"), "failed", "MalformedAnswer"),
            ((200, {}, b"[0.9, 0.9]"), "failed", "MalformedAnswer"),
            ((200, {}, b'["0.9", 0.1]'), "failed", "MalformedAnswer"),
            ((200, {}, b"[true, 0]"), "failed", "MalformedAnswer"),
        ],
    )
    def test_every_trouble_at_the_endpoint_has_its_outcome(
        self, function_environment: FakeAws, answer: Any, outcome: str, error: str
    ) -> None:
        function_environment.answers = [answer]
        result = classify({**PLACE, "image_data": PNG}, CONTEXT)
        assert (result["outcome"], result["error"], result["image_data"]) == (outcome, error, "")
        assert len(function_environment.invocations) == 1, "trying again is the state machine's business"

    @pytest.mark.parametrize(("said", "found"), [(0.25, 0.25), (0, 0.0), (1, 1.0), (None, None)])
    def test_how_unfamiliar_the_picture_is_travels_beside_the_probabilities(
        self, function_environment: FakeAws, said: float | None, found: float | None
    ) -> None:
        function_environment.answers = [probabilities(0.2, 0.8, unfamiliarity=said)]
        result = classify({**PLACE, "image_data": PNG}, CONTEXT)
        assert (result["inferences"], result.get("unfamiliarity")) == ([0.2, 0.8], found)

    @pytest.mark.parametrize("said", ["high", 1.5, -0.1, True, ""])
    def test_an_unfamiliarity_that_is_no_share_is_a_malformed_answer(
        self, function_environment: FakeAws, said: float | str
    ) -> None:
        function_environment.answers = [probabilities(0.2, 0.8, unfamiliarity=said)]
        result = classify({**PLACE, "image_data": PNG}, CONTEXT)
        assert (result["outcome"], result["error"]) == ("failed", "MalformedAnswer")

    def test_a_slow_endpoint_is_a_time_out_of_its_own(
        self, function_environment: FakeAws, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from botocore.exceptions import ReadTimeoutError

        def slow(**_: Any) -> None:
            raise ReadTimeoutError(endpoint_url="http://endpoint")

        monkeypatch.setattr(clients.runtime(), "invoke_endpoint", slow)
        result = classify({**PLACE, "image_data": PNG}, CONTEXT)
        assert (result["outcome"], result["error"]) == ("retry", "TimedOut")

    @pytest.mark.parametrize(
        "written",
        [f"data:image/png;base64,{PNG}", f"  {PNG[:40]}\r\n{PNG[40:]}\n", PNG.rstrip("="), PNG.replace("+", "-")],
        ids=["data URI", "white space", "no padding", "URL-safe"],
    )
    def test_common_ways_to_write_base64_are_forgiven(self, function_environment: FakeAws, written: str) -> None:
        assert classify({"image_data": written}, CONTEXT)["outcome"] == "ok"
        assert function_environment.invocations[0][1] == picture()

    @pytest.mark.parametrize(
        ("written", "reason"),
        [
            (None, "null"),
            ("", "empty"),
            ("   ", "empty"),
            (17, "a number"),
            ("not base64!", "not base64"),
            ("äöü", "not base64"),
            (f"b'{PNG}'", "Python bytes"),
            (base64.b64encode(PNG.encode()).decode(), "encode the picture once"),
            (base64.b64encode(b"just text").decode(), "not of a PNG or JPEG"),
            ("A" * 300_000, "the limit is"),
        ],
    )
    def test_junk_is_refused_before_the_endpoint_sees_it(
        self, function_environment: FakeAws, written: object, reason: str
    ) -> None:
        result = classify({"image_data": written}, CONTEXT)
        assert result["outcome"] == "bad_input"
        assert reason in result["cause"]
        assert not function_environment.invocations


class TestFilter:
    def test_a_sure_picture_gets_its_route(self, function_environment: FakeAws) -> None:
        result = decide({**PLACE, "inferences": [0.02, 0.98]}, CONTEXT)
        assert result["decision"] == {"vehicle": "motorcycle", "route": "far", "confidence": 0.98, "threshold": 0.93}

    def test_an_unsure_one_fails_loudly_with_the_numbers(self, function_environment: FakeAws) -> None:
        result = decide({**PLACE, "inferences": [0.7, 0.3]}, CONTEXT)
        cause = json.loads(result["cause"])
        assert (result["outcome"], result["error"]) == ("low_confidence", "LowConfidence")
        assert "THRESHOLD_CONFIDENCE_NOT_MET" in cause["problem"]
        assert cause["image"] == "s3://scones-test/incoming/a b+ü.png"
        assert (cause["confidence"], cause["threshold"]) == (0.7, 0.93)
        assert cause["inferences"] == {"bicycle": 0.7, "motorcycle": 0.3}

    @pytest.mark.parametrize(
        ("best", "threshold", "outcome"),
        [(0.93, 0.93, "ok"), (0.9299999, 0.93, "low_confidence"), (1, 1, "ok"), (0.6, 0, "ok")],
    )
    def test_exactly_the_threshold_passes(
        self, function_environment: FakeAws, best: float, threshold: float, outcome: str
    ) -> None:
        result = decide({"inferences": [best, 1 - best], "threshold": threshold}, CONTEXT)
        assert result["outcome"] == outcome

    @pytest.mark.parametrize(
        ("unfamiliarity", "limit", "outcome"),
        [(0.95, "0.95", "ok"), (0.9501, "0.95", "unfamiliar"), (1.0, "1", "ok"), (0.5, "0", "unfamiliar")],
    )
    def test_a_picture_that_the_model_does_not_know_is_not_routed_however_sure_it_is(
        self, function_environment: FakeAws, unfamiliarity: float, limit: str, outcome: str
    ) -> None:
        function_environment.parameters[UNFAMILIARITY_PARAMETER] = limit
        result = decide({**PLACE, "inferences": [0.999, 0.001], "unfamiliarity": unfamiliarity}, CONTEXT)
        assert result["outcome"] == outcome
        if outcome == "ok":
            assert result["decision"]["unfamiliarity"] == unfamiliarity
        else:
            cause = json.loads(result["cause"])
            assert (result["error"], cause["vehicle"], cause["confidence"]) == ("Unfamiliar", "bicycle", 0.999)
            assert (cause["unfamiliarity"], cause["limit"]) == (unfamiliarity, float(limit))
            assert "UNLIKE_TRAINING_PICTURES" in cause["problem"]

    def test_a_model_that_does_not_say_how_unfamiliar_a_picture_is_needs_no_limit(
        self, function_environment: FakeAws
    ) -> None:
        del function_environment.parameters[UNFAMILIARITY_PARAMETER]
        assert decide({"inferences": [0.97, 0.03]}, CONTEXT)["outcome"] == "ok"
        result = decide({"inferences": [0.97, 0.03], "unfamiliarity": 0.5}, CONTEXT)
        assert (result["outcome"], result["error"]) == ("failed", "ParameterNotFound")

    @pytest.mark.parametrize("unfamiliarity", ["0.5", 1.5, True])
    def test_an_unfamiliarity_that_is_none_is_refused(
        self, function_environment: FakeAws, unfamiliarity: object
    ) -> None:
        result = decide({"inferences": [0.97, 0.03], "unfamiliarity": unfamiliarity}, CONTEXT)
        assert (result["outcome"], result["error"]) == ("bad_input", "InferencesRefused")

    def test_two_equal_winners_are_no_decision(self, function_environment: FakeAws) -> None:
        assert decide({"inferences": [0.5, 0.5], "threshold": 0.5}, CONTEXT)["outcome"] == "low_confidence"

    def test_inferences_may_be_json_text(self, function_environment: FakeAws) -> None:
        assert decide({"inferences": "[0.97, 0.03]"}, CONTEXT)["outcome"] == "ok"

    def test_a_changed_parameter_needs_no_redeploy(
        self, function_environment: FakeAws, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [1000.0]
        monkeypatch.setattr(threshold.time, "monotonic", lambda: now[0])
        event = {"inferences": [0.7, 0.3]}
        assert decide(event, CONTEXT)["outcome"] == "low_confidence"
        function_environment.parameters[THRESHOLD_PARAMETER] = "0.6"
        assert decide(event, CONTEXT)["outcome"] == "low_confidence", "read again within the cache's seconds"
        now[0] += threshold.CACHE_SECONDS
        assert decide(event, CONTEXT)["outcome"] == "ok"

    @pytest.mark.parametrize(
        ("stored", "error"), [(None, "ParameterNotFound"), ("high", "BadThreshold"), ("1.5", "BadThreshold")]
    )
    def test_a_bad_parameter_is_nobodys_default(
        self, function_environment: FakeAws, stored: str | None, error: str
    ) -> None:
        function_environment.parameters = {THRESHOLD_PARAMETER: stored} if stored else {}
        result = decide({"inferences": [0.7, 0.3]}, CONTEXT)
        assert (result["outcome"], result["error"]) == ("failed", error)

    def test_confidence_is_measured_for_the_project(
        self, function_environment: FakeAws, capfd: pytest.CaptureFixture[str]
    ) -> None:
        decide({"inferences": [0.7, 0.3]}, CONTEXT)
        lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if line.startswith("{")]
        measured = {name: line[name] for line in lines if "_aws" in line for name in line}
        assert measured["Confidence"] == [0.7]
        assert (measured["LowConfidence"], measured["Unfamiliar"]) == ([1.0], [0.0])
        [described] = [line["_aws"]["CloudWatchMetrics"][0] for line in lines if "_aws" in line]
        assert {name for names in described["Dimensions"] for name in names} == {"service", "project"}


@pytest.mark.parametrize(("name", "value"), [("CLASSES", ""), ("ROUTES", "{"), ("ROUTES", '{"bicycle": "near"}')])
def test_a_wrong_environment_is_named(
    function_environment: FakeAws, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    result = decide({"inferences": [0.97, 0.03]}, CONTEXT)
    assert (result["outcome"], result["error"]) == ("failed", "NotConfigured")
    assert name in result["cause"]


def test_the_same_call_twice_gives_the_same_answer(function_environment: FakeAws) -> None:
    function_environment.answers = [probabilities(0.2, 0.8)] * 2
    event = {**PLACE, "image_data": PNG, "execution": {"name": "same"}}
    first = classify(event, CONTEXT)
    forget()
    assert classify(event, CONTEXT) == first

"""Transform jobs whose objects, model or serving program let them down."""

from __future__ import annotations

import pytest
from cloud_fixtures import eventually
from job_support import REGISTRY, Bucket, ServingModel, ended, finish, log_of, start, transform, unique

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.jobs import model_server


def test_a_bad_object_fails_a_transform_job_and_the_other_outputs_stay(
    cloud: Cloud, bucket: Bucket, serving_model: ServingModel
) -> None:
    model = serving_model("""
        def answer(body, headers):
            return (400, b"not an image\\nat all") if body == b"bad" else (200, body[::-1])
    """)
    for name, body in {"a": b"abc", "b": b"bad", "c": b"xyz"}.items():
        bucket.put(f"in/{name}.png", body)
    job = finish(cloud, transform(bucket, model))
    assert job["TransformJobStatus"] == "Failed"
    place = f"{bucket.name}/in/b.png"
    assert job["FailureReason"] == (
        f"ClientError: 1 of 3 objects failed, see job logs. First: {place}: 400 Message: not an image at all"
    )
    assert {key: bucket.get(key) for key in bucket.keys("scored")} == {
        "scored/a.png.out": b"cba",
        "scored/c.png.out": b"zyx",
    }
    log = log_of(cloud, "TransformJob", job["TransformJobName"])
    assert f":[sagemaker logs]: {place}: ClientError: 400 Message: not an image at all" in log
    assert ":[sagemaker logs]: MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=SINGLE_RECORD" in log


def test_a_servers_own_fault_is_tried_again_and_only_so_often(
    cloud: Cloud, bucket: Bucket, serving_model: ServingModel
) -> None:
    model = serving_model("""
        calls = {}
        def answer(body, headers):
            calls[body] = calls.get(body, 0) + 1
            if body == b"never" or calls[body] < 2:
                return 500, b"try later"
            return 200, str(calls[body]).encode()
    """)
    bucket.put("in/a", b"twice")
    client = {"InvocationsMaxRetries": 1, "InvocationsTimeoutInSeconds": 10}
    assert finish(cloud, transform(bucket, model, ModelClientConfig=client))["TransformJobStatus"] == "Completed"
    assert bucket.get("scored/a.out") == b"2"
    bucket.put("in/b", b"never")
    job = finish(cloud, transform(bucket, model, ModelClientConfig=client))
    assert job["FailureReason"].startswith("AlgorithmError: 1 of 2 objects failed")
    assert job["FailureReason"].endswith("in/b: 500 Message: try later")


def test_a_server_that_dies_ends_the_job_at_once(cloud: Cloud, bucket: Bucket, serving_model: ServingModel) -> None:
    model = serving_model("""
        def answer(body, headers):
            os._exit(3)
    """)
    bucket.put("in/a", b"a")
    job = finish(cloud, transform(bucket, model))
    assert job["FailureReason"] == "AlgorithmError: The serving program ended, exit code: 3"


def test_a_server_that_never_answers_is_given_up(
    cloud: Cloud, bucket: Bucket, serving_model: ServingModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_server, "STARTUP_SECONDS", 0.3)
    bucket.put("in/a", b"a")
    job = finish(cloud, transform(bucket, serving_model("import signal\nsignal.pause()")))
    assert job["FailureReason"].startswith("AlgorithmError: /ping did not answer 200")
    job = finish(cloud, transform(bucket, serving_model("raise SystemExit(5)")))
    assert job["FailureReason"].startswith("AlgorithmError: ")


def test_a_transform_job_can_be_stopped_between_objects(
    cloud: Cloud, bucket: Bucket, serving_model: ServingModel
) -> None:
    model = serving_model("""
        def answer(body, headers):
            print(f"ready {os.getpid()} ", flush=True)
            threading.Event().wait()
    """)
    bucket.put("in/a", b"a")
    name = start(cloud, transform(bucket, model))
    eventually(lambda: "ready" in log_of(cloud, "TransformJob", name))
    cloud.call("StopTransformJob", {"TransformJobName": name})
    assert ended(cloud, "TransformJob", name)["TransformJobStatus"] == "Stopped"


def test_lines_are_sent_one_by_one_or_together_and_joined_again(
    cloud: Cloud, bucket: Bucket, serving_model: ServingModel
) -> None:
    model = serving_model("""
        parameters = {"MaxConcurrentTransforms": 2, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 1}
        def answer(body, headers):
            return 200, b"<" + body.strip() + b">"
    """)
    bucket.put("in/a.csv", b"1\n2\n\n3")
    request = transform(bucket, model)
    del request["BatchStrategy"]
    request["TransformInput"]["SplitType"] = request["TransformOutput"]["AssembleWith"] = "Line"
    assert finish(cloud, request)["TransformJobStatus"] == "Completed"
    assert bucket.get("scored/a.csv.out") == b"<1>\n<2>\n<3>"
    together = {**request, "TransformJobName": unique("transform"), "BatchStrategy": "MultiRecord"}
    assert finish(cloud, together)["TransformJobStatus"] == "Completed"
    assert bucket.get("scored/a.csv.out") == b"<1\n2\n3>"


def test_an_object_larger_than_the_payload_is_refused(
    cloud: Cloud, bucket: Bucket, serving_model: ServingModel
) -> None:
    model = serving_model("def answer(body, headers):\n    return 200, b'ok'")
    bucket.put("in/large", b"x" * (1 << 20) + b"x")
    job = finish(cloud, transform(bucket, model, MaxPayloadInMB=1))
    assert "Too much data for max payload size (1048577 bytes)" in job["FailureReason"]


def test_a_torn_model_fails_the_job_by_its_name(cloud: Cloud, bucket: Bucket) -> None:
    data = bucket.put("model.tar.gz", b"\x1f\x8b torn")
    name = unique("model")
    container = {"Image": f"{REGISTRY}/pytorch-inference:2.6", "ModelDataUrl": data}
    cloud.call("CreateModel", {"ModelName": name, "PrimaryContainer": container})
    bucket.put("in/a", b"a")
    job = finish(cloud, transform(bucket, name))
    assert job["FailureReason"].startswith(f"ClientError: The model data {data} cannot be used: the archive cannot be")

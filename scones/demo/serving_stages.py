"""The demo's stages after registration: approve, deploy, route pictures or refuse to, alert, route a whole prefix."""

from __future__ import annotations

import json
import time

from pipelines import registry
from pipelines.runs import deployment, held_out, results
from project import aws, console
from project.errors import SconesError
from project.s3 import split
from scones.demo import alerts
from scones.demo.stages import Demo
from stepfunctions import executions, inference

CASES, MORE_CASES = 24, 120
CONCURRENCY = 4


def approve_version(demo: Demo) -> str:
    """Approve the registered version, as a person would, and follow the deploy workflow that this starts."""
    arn = demo.found["model_package"]
    group = aws.names().settings.model_package_group
    version = registry.choose(group, arn, "Approved")
    comment = "The demo approves what passed the gate."
    end = deployment.decide_and_wait(version, "Approved", comment, lambda line: console.say(f"         {line}"))
    demo.found["deployment"] = end.arn
    return f"{end.output['message']} Deployed in {end.seconds:.1f} s."


def check_endpoint(demo: Demo) -> str:
    """The endpoint as SageMaker describes it."""
    name = aws.names().endpoint
    with aws.explained(f"looking at endpoint {name}"):
        found = aws.client("sagemaker").describe_endpoint(EndpointName=name)
    if found["EndpointStatus"] != "InService":
        raise SconesError(f"Endpoint {name} is {found['EndpointStatus']}: {found.get('FailureReason', 'no reason')}.")
    demo.found["endpoint"] = found["EndpointArn"]
    capture = found["DataCaptureConfig"]
    return f"{name} InService, capturing {capture['CurrentSamplingPercentage']} % to {capture['DestinationS3Uri']}"


def route_pictures(demo: Demo) -> str:
    """Pictures of the test split through the inference workflow: some pass, some do not."""
    pictures = held_out.of_live_model()
    cases = held_out.sample(pictures, MORE_CASES, aws.names().settings.seed)
    found: list[inference.Judged] = []
    for count in (CASES, MORE_CASES):
        more = [case.key for case in cases[len(found) : count]]
        found += inference.judge_all(cases[0].bucket, more, None, CONCURRENCY)
        if {"routed", "unsure"} <= {one.outcome for one in found}:
            break
    broken = next((one for one in found if one.outcome == "failed"), None)
    if broken:
        raise SconesError(f"{broken.picture} was not routed: {broken.error}: {broken.problem}")
    demo.found["routing"] = {outcome: sum(one.outcome == outcome for one in found) for outcome in ("routed", "unsure")}
    told = inference.outcomes_line([case.class_name for case in cases[: len(found)]], found)
    if 0 in demo.found["routing"].values():
        raise SconesError(f"The demo is to show both outcomes: {told}.")
    for outcome in ("routed", "unsure"):
        console.say(f"         {_told(next(one for one in found if one.outcome == outcome))}")
    demo.found["unsure_picture"] = next(one.picture for one in found if one.outcome == "unsure")
    return told


def provoke_alert(demo: Demo) -> str:
    """One alert as a desk gets it that listens to the topic: the picture's address and the numbers."""
    bucket, key = split(demo.found["unsure_picture"])
    listener = alerts.start_listening(f"{aws.names().settings.project}-demo-listener-{time.time_ns()}")
    try:
        inference.judge(bucket, key)
        heard = alerts.receive_alerts(listener, 1)
    finally:
        alerts.stop_listening(listener)
    if not heard:
        raise SconesError(f"{demo.found['unsure_picture']} was not routed, and no alert arrived.")
    demo.found["alert"] = json.loads(heard[0]["Message"])
    return f"{heard[0]['Subject']}: {demo.found['alert']['problem']}"


def upload_incoming(demo: Demo) -> str:
    """Upload a picture under incoming/: that alone starts the inference workflow."""
    machine, names = aws.names().state_machine("inference"), aws.names()
    picture = held_out.of_live_model()[0]
    key = f"incoming/{picture.key.rpartition('/')[2]}"
    before = executions.known(machine)
    with aws.explained(f"copying a picture to {names.uri(key)}"):
        aws.client("s3").copy_object(
            Bucket=names.bucket, Key=key, CopySource={"Bucket": picture.bucket, "Key": picture.key}
        )
    execution = executions.wait_until_started(machine, before, lambda request: request.get("s3_key") == key)
    if execution is None:
        raise SconesError(f"{names.uri(key)} landed, and no inference workflow started.")
    found = inference.judged(names.bucket, key, executions.wait_until_ended(execution))
    if found.outcome == "failed":
        raise SconesError(f"{found.picture}: {found.error}: {found.problem}")
    return _told(found)


def run_batch(demo: Demo) -> str:
    """The whole test split as one batch; its summary in S3."""
    pictures = results.output_uri(demo.found["execution"], held_out.STEP, "test")
    started = time.monotonic()
    execution = inference.start_batch(f"{pictures}/")
    end = executions.follow(execution, lambda _: None, items="batches")
    executions.raise_unless_succeeded(end, f"Batch {end.name}")
    demo.found["batch"] = {"summary": end.output["summary"], **end.output["counts"]}
    rate = end.output["counts"]["images"] / (time.monotonic() - started)
    return f"{inference.batch_line(end.output['counts'])}; {rate:.0f} a second"


def _told(one: inference.Judged) -> str:
    name, what = one.picture.rpartition("/")[2], f"{one.vehicle} at {one.confidence:.4f}"
    if one.outcome == "routed":
        return f"{name}: {what}, route {one.route}"
    if one.outcome == "unfamiliar":
        return f"{name}: {what}, and unlike the training pictures ({one.unfamiliarity:.1%}): FAILED {one.error}"
    return f"{name}: {what} is below {one.threshold}: FAILED {one.error}"


STAGES = (
    ("approval", approve_version),
    ("endpoint", check_endpoint),
    ("routing", route_pictures),
    ("alert", provoke_alert),
    ("landing", upload_incoming),
    ("batch", run_batch),
)

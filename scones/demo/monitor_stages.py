"""The demo's last stages: ordinary traffic, which must be found healthy, and spoilt traffic, which must not."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from monitoring.analysis import capture
from monitoring.analysis.capture import Tally, Window
from monitoring.analysis.outcome import Outcome
from monitoring.watch import files, runs
from monitoring.watch.schedule import attached
from pipelines.runs import held_out
from project import aws, console
from project.errors import SconesError
from project.progress import Show, progress
from scones.demo import alerts
from scones.demo.stages import Demo
from scones.reports import monitor_report

REQUESTS = 200
THREADS = 4
PATIENCE = 90.0
"""Seconds until what was sent must be captured; a file is written when its first record is a minute old."""
SHADE, NOISE = 0.5, 25.0
"""What is left of the brightness, and the noise's standard deviation, of 255."""
SHOWN = 3


def check_monitor(demo: Demo) -> str:
    """The monitor that the deploy workflow attached."""
    found = attached()
    if found is None:
        raise SconesError("A version is live, and nothing watches it.", "See: scones monitor schedule on.")
    demo.found["monitor"] = {"scheduler": found.scheduler, "why": found.why}
    return f"version {found.version} by {found.scheduler}: {found.why} Next run {found.due:%H:%M} UTC"


def send_ordinary_traffic(demo: Demo) -> str:
    """Pictures of the test split once more: like the baseline, so the verdict must be healthy."""
    found = _send_and_judge(lambda picture: picture)
    demo.found["healthy"] = _kept(found)
    if found.outcome is not Outcome.HEALTHY:
        raise SconesError(f"Ordinary traffic was found {found.summary['message']} {found.violations}")
    return f"{found.summary['records']} requests: {found.summary['message']}"


def send_spoilt_traffic(demo: Demo) -> str:
    """The same pictures, darker and with noise: violations, the alarm, and one alert."""
    random = np.random.default_rng(aws.names().settings.seed)
    listener = alerts.start_listening(f"{aws.names().settings.project}-demo-drift-{time.time_ns()}")
    try:
        found = _send_and_judge(lambda picture: _spoilt(picture, random))
        heard = alerts.receive_alerts(listener, 1, about="differs")
    finally:
        alerts.stop_listening(listener)
    demo.found["drifted"] = _kept(found)
    if found.outcome is not Outcome.VIOLATIONS:
        raise SconesError(f"Darkened, noisy traffic was found {found.summary['message']}")
    for one in found.violations[:SHOWN]:
        console.say(f"         {one['feature_name']}: {one['description']}")
    if not heard:
        raise SconesError(f"{found.run.job} found violations, and no alert arrived.")
    demo.found["drift_alert"] = heard[0]["Message"]
    requests = f"{found.summary['records']} requests, {len(found.violations)} violations"
    return f"{requests}. Alarm {_alarm()}. {heard[0]['Subject']}"


def write_report(demo: Demo) -> str:
    """The report on everything that was captured."""
    end = datetime.now(UTC)
    start = end.replace(hour=0, minute=0, second=0, microsecond=0)
    page, shown = monitor_report.write_report(start, end, demo.outputs / "monitor-report")
    demo.found["monitor_report"] = str(page)
    return f"{page}, {len(shown.history)} requests"


def _send_and_judge(changed: Callable[[bytes], bytes]) -> runs.Verdict:
    """Send pictures, `changed`, to the endpoint, wait until they are captured, and run the monitor on them."""
    start = _next_second()
    names, pictures = aws.names(), held_out.of_live_model()[:REQUESTS]
    client, runtime = aws.client("s3"), aws.client("sagemaker-runtime")
    bodies = [changed(client.get_object(Bucket=one.bucket, Key=one.key)["Body"].read()) for one in pictures]

    def send(body: bytes) -> None:
        runtime.invoke_endpoint(
            EndpointName=names.endpoint, Body=body, ContentType="image/png", Accept="application/jsonlines"
        )

    with progress() as show:
        with aws.explained(f"sending pictures to endpoint {names.endpoint}"), ThreadPoolExecutor(THREADS) as pool:
            for done, _ in enumerate(pool.map(send, bodies), start=1):
                show("Traffic", f"{done} of {len(bodies)} pictures sent", done, len(bodies))
        _wait_for_capture(start, len(bodies), show)
    return runs.run(start, datetime.fromtimestamp(time.time() + 1, UTC))


def _next_second() -> datetime:
    """Wait for the next whole second: captured records bear no more, so what was sent before lies in an earlier one."""
    begins = math.floor(time.time()) + 1
    time.sleep(begins - time.time())
    return datetime.fromtimestamp(begins, UTC)


def _wait_for_capture(start: datetime, wanted: int, show: Show) -> None:
    names, deadline = aws.names(), time.monotonic() + PATIENCE
    with TemporaryDirectory() as scratch:
        while True:
            files.fetch(names.uri("captures", names.endpoint), Path(scratch), Window(start))
            there = sum(1 for _ in capture.read(capture.files(Path(scratch), Window(start)), Tally(), Window(start)))
            if there >= wanted:
                return
            show("Capture", f"{there} of {wanted} pictures captured", there, wanted)
            if time.monotonic() > deadline:
                raise SconesError(f"{wanted} pictures were sent to endpoint {names.endpoint}, and {there} captured.")
            time.sleep(0.2)


def _spoilt(picture: bytes, random: np.random.Generator) -> bytes:
    with Image.open(io.BytesIO(picture)) as image:
        pixels = np.asarray(image.convert("RGB"), np.float64)
    noisy = np.clip(pixels * SHADE + random.normal(0, NOISE, pixels.shape), 0, 255)
    out = io.BytesIO()
    Image.fromarray(noisy.astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def _alarm() -> str:
    name = f"{aws.names().settings.project}-drift"
    with aws.explained(f"looking at alarm {name}"):
        [found] = aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return f"{name} is {found['StateValue']}"


def _kept(found: runs.Verdict) -> dict[str, object]:
    return {"outcome": found.outcome.value, "violations": len(found.violations), "output": found.run.output}


STAGES = (
    ("monitor", check_monitor),
    ("ordinary traffic", send_ordinary_traffic),
    ("spoilt traffic", send_spoilt_traffic),
    ("monitor report", write_report),
)

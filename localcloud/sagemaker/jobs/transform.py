"""A batch transform job: the model's serving program is started, and every object under the input prefix sent to it.

For each object there is one output object, `<S3OutputPath>/<its name below the prefix>.out`, and none in part: what
fails has none, the job fails, and the outputs of the others stay. Of several instances each works on objects of its
own ("one instance might process input1.csv, and another instance might process input2.csv"); one that would get none is
not started. The container's contract: "Use Your Own Inference
Code with Batch Transform" in the developer guide.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import urllib3
from botocore.exceptions import ClientError

from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.jobs import transfer
from localcloud.sagemaker.jobs.association import Association, AssociationError, association
from localcloud.sagemaker.jobs.folder import Folder
from localcloud.sagemaker.jobs.instances import FIRST, shard
from localcloud.sagemaker.jobs.interruption import STOPPED, InterruptedJobError, Interruption
from localcloud.sagemaker.jobs.lifecycle import JobFailedError, JobRun
from localcloud.sagemaker.jobs.model_server import Server, fetch_model, run_server

MEGABYTE = 1 << 20
DEFAULT_PAYLOAD_MB = 6
DEFAULT_TIMEOUT_SECONDS = 600
DEFAULT_RETRIES = 3
MESSAGE_CHARACTERS = 300
"""How much of a refusal's body goes into the log and the reason."""

NOT_DONE = ("DataCaptureConfig",)


class RecordRefusedError(Exception):
    """The serving program did not answer 200 for an object; the argument says how, in the data log's words."""


@dataclass(frozen=True)
class TransformPlan:
    """How records are sent: the request's values, else the container's own (/execution-parameters), else defaults."""

    concurrency: int
    payload_mb: int
    strategy: str
    split: str
    assemble: str
    timeout_seconds: int
    retries: int
    headers: dict[str, str]
    association: Association | None = None


def check(request: dict[str, Any]) -> None:
    """Refuse what AWS refuses beyond the request's shape, and what is not done here.

    Raises:
        ServiceError: ValidationException.
    """
    for name in NOT_DONE:
        if request.get(name):
            raise validation(f"The local SageMaker does not support {name} in a transform job.")
    source = request["TransformInput"]
    if source["DataSource"]["S3DataSource"]["S3DataType"] not in {"S3Prefix", "ManifestFile"}:
        raise validation("TransformInput: the local SageMaker does S3DataType S3Prefix and ManifestFile only.")
    if source.get("SplitType", "None") not in {"None", "Line"}:
        raise validation("TransformInput: the local SageMaker does SplitType None and Line only.")
    if source.get("CompressionType", "None") != "None":
        raise validation("TransformInput: the local SageMaker does only uncompressed data.")
    if request.get("MaxConcurrentTransforms", 1) * request.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MB) > 100:
        raise validation("MaxConcurrentTransforms * MaxPayloadInMB must not exceed 100 MB.")
    association(request)
    transfer.split(request["TransformOutput"]["S3OutputPath"])


def work(job: JobRun, container: dict[str, Any], isolated: bool) -> None:
    """Do the job with the model's container definition; returns when every output is uploaded.

    `isolated` is the model's EnableNetworkIsolation.
    """
    source = job.request["TransformInput"]["DataSource"]["S3DataSource"]
    found = transfer.objects(job.s3, source["S3Uri"], source["S3DataType"])
    for item in found:
        transfer.inside(job.folder.root, item.relative)
    payload = job.request.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MB)
    strategy = job.request.get("BatchStrategy", "MultiRecord")
    own = {
        **job.request.get("Environment", {}),
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(payload),
        "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD" if strategy == "SingleRecord" else "MULTI_RECORD",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(job.request.get("MaxConcurrentTransforms", 1)),
    }
    names = [host.host for host in job.hosts]
    shards = [(host, shard(found, host.host, names, "ShardedByS3Key")) for host in job.hosts]
    busy = [(host, own_part) for host, own_part in shards if own_part or host.host == FIRST]
    network = job.may_use_network(isolated)
    refused: list[str] = []
    together = Interruption()

    def one(host: Folder, part: list[transfer.Object]) -> None:
        try:
            fetch_model(job.s3, container, host, together)
            with run_server(job.cloud, container, host, own, together, role=job.role, network=network) as server:
                plan = _plan(job.request, _execution_parameters(server))
                limits = f"MaxConcurrentTransforms={plan.concurrency}, MaxPayloadInMB={plan.payload_mb}"
                job.say(f"{limits}, BatchStrategy={plan.strategy}", host)
                refused.extend(_transform_part(job, server, plan, part, host, together))
        except InterruptedJobError:
            raise
        except Exception:
            together.ask(STOPPED)  # one that fails ends the others
            raise

    with (
        job.interruption.on(lambda: together.ask(job.interruption.reason)),
        ThreadPoolExecutor(len(busy), thread_name_prefix="instance") as threads,
    ):
        futures = {threads.submit(one, host, part): host for host, part in busy}
    job.interruption.check()
    for future, host in futures.items():
        if (error := future.exception()) and not isinstance(error, InterruptedJobError):
            raise (
                JobFailedError(f"{error} (on {host.host})")
                if len(names) > 1 and isinstance(error, JobFailedError)
                else error
            )
    _require_all(refused, len(found))


def _require_all(refused: list[str], count: int) -> None:
    """Raises JobFailedError: objects were refused."""
    if refused:
        fault = "ClientError" if all(": ClientError: " in line for line in refused) else "AlgorithmError"
        first = sorted(refused)[0].replace(": ClientError: ", ": ").replace(": AlgorithmError: ", ": ")
        raise JobFailedError(f"{fault}: {len(refused)} of {count} objects failed, see job logs. First: {first}")


def _transform_part(
    job: JobRun,
    server: Server,
    plan: TransformPlan,
    found: list[transfer.Object],
    host: Folder,
    interruption: Interruption,
) -> list[str]:
    """Send an instance's objects to its server; the refusals."""
    free = threading.Semaphore(plan.concurrency)
    refused: list[str] = []
    bucket, prefix = transfer.split(job.request["TransformOutput"]["S3OutputPath"])
    prefix = prefix.rstrip("/") + "/" if prefix else ""

    def one(item: transfer.Object) -> None:
        try:
            body = _fetch(job, item, plan)
            answers = [_answer(interruption, server, plan, free, part) for part in _parts(body, plan)]
        except RecordRefusedError as refusal:
            line = f"{item.bucket}/{item.key}: {refusal}"
            refused.append(line)
            job.say(line, host)
            return
        joined = (b"\n" if plan.assemble == "Line" else b"").join(answers)
        job.s3.put_object(Bucket=bucket, Key=f"{prefix}{item.relative}.out", Body=joined)

    transfer.in_threads(one, found, interruption)
    interruption.check()
    return refused


def _fetch(job: JobRun, item: transfer.Object, plan: TransformPlan) -> bytes:
    """The object's bytes.

    Raises:
        RecordRefusedError: it is one record, and larger than the payload may be; it is not read.
        DownloadError: it is gone.
    """
    if plan.split == "None" and item.size > plan.payload_mb * MEGABYTE:
        raise RecordRefusedError(f"ClientError: Too much data for max payload size ({item.size} bytes)")
    try:
        body: bytes = job.s3.get_object(Bucket=item.bucket, Key=item.key)["Body"].read()
    except ClientError as error:
        raise transfer.DownloadError(f"{item.uri}: {error}") from None
    return body


def _parts(body: bytes, plan: TransformPlan) -> Iterator[bytes]:
    """The payloads that an object is sent as.

    Raises:
        RecordRefusedError: a record is larger than the payload may be.
    """
    limit = plan.payload_mb * MEGABYTE
    records = [body] if plan.split == "None" else [line for line in body.splitlines(keepends=True) if line.strip()]
    gathered: list[bytes] = []
    size = 0
    for record in records:
        if len(record) > limit:
            raise RecordRefusedError(f"ClientError: Too much data for max payload size ({len(record)} bytes)")
        if gathered and (plan.strategy == "SINGLE_RECORD" or size + len(record) > limit):
            yield b"".join(gathered)
            gathered, size = [], 0
        gathered.append(record)
        size += len(record)
    if gathered or not body:
        yield b"".join(gathered)


def _answer(
    interruption: Interruption, server: Server, plan: TransformPlan, free: threading.Semaphore, body: bytes
) -> bytes:
    """What is kept of the answer for one payload: all of it without a DataProcessing. Raises as `_post` does."""
    if plan.association is None:
        return _post(interruption, server, plan, free, body)
    try:
        answer = _post(interruption, server, plan, free, plan.association.sent(body))
        return plan.association.result(body, answer)
    except AssociationError as error:
        raise RecordRefusedError(f"ClientError: {error}") from None


def _post(
    interruption: Interruption, server: Server, plan: TransformPlan, free: threading.Semaphore, body: bytes
) -> bytes:
    """The serving program's answer for one payload; its own faults (5xx, no answer) are tried again.

    Raises:
        RecordRefusedError: it answered something else than 200, for the last time.
        JobFailedError: the program has ended.
        InterruptedJobError: the job was told to end.
    """
    problem = ""
    for attempt in range(plan.retries + 1):
        interruption.check()
        try:
            with free:
                answer = server.http.request(
                    "POST",
                    f"{server.url}/invocations",
                    body=body,
                    headers=plan.headers,
                    timeout=float(plan.timeout_seconds),
                    retries=False,
                )
        except urllib3.exceptions.HTTPError as error:
            problem = f"AlgorithmError: no answer: {error}"
        else:
            if answer.status == 200:
                return answer.data
            message = " ".join(answer.data.decode("utf-8", "replace").split())[:MESSAGE_CHARACTERS]
            if answer.status < 500:
                raise RecordRefusedError(f"ClientError: {answer.status} Message: {message}")
            problem = f"AlgorithmError: {answer.status} Message: {message}"
        if not server.process.running:
            interruption.check()
            raise JobFailedError(f"AlgorithmError: The serving program ended, exit code: {server.process.wait()}")
        interruption.event.wait(0.1 * 2**attempt)
    raise RecordRefusedError(problem)


def _execution_parameters(server: Server) -> dict[str, Any]:
    """What the container says about itself; most say nothing (404)."""
    try:
        answer = server.http.request("GET", f"{server.url}/execution-parameters", timeout=5.0, retries=False)
        own = json.loads(answer.data) if answer.status == 200 else {}
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        raise JobFailedError(f"AlgorithmError: /execution-parameters did not answer with JSON: {error}") from None
    return own if isinstance(own, dict) else {}


def _plan(request: dict[str, Any], own: dict[str, Any]) -> TransformPlan:
    client = request.get("ModelClientConfig", {})
    source, target = request["TransformInput"], request["TransformOutput"]
    headers = {"Content-Type": source.get("ContentType"), "Accept": target.get("Accept")}
    strategy = {"SingleRecord": "SINGLE_RECORD", "MultiRecord": "MULTI_RECORD"}.get(request.get("BatchStrategy", ""))
    return TransformPlan(
        concurrency=int(request.get("MaxConcurrentTransforms") or own.get("MaxConcurrentTransforms") or 1),
        payload_mb=int(request.get("MaxPayloadInMB") or own.get("MaxPayloadInMB") or DEFAULT_PAYLOAD_MB),
        strategy=strategy or str(own.get("BatchStrategy") or "MULTI_RECORD"),
        split=source.get("SplitType", "None"),
        assemble=target.get("AssembleWith", "None"),
        timeout_seconds=client.get("InvocationsTimeoutInSeconds", DEFAULT_TIMEOUT_SECONDS),
        retries=client.get("InvocationsMaxRetries", DEFAULT_RETRIES),
        headers={name: value for name, value in headers.items() if value},
        association=association(request),
    )

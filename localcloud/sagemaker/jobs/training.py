"""A training job: channels from S3, the container's program, model.tar.gz to S3.

The container's contract: "How Amazon SageMaker runs your training image" in the developer guide. A program that exits
with 0 and leaves /opt/ml/model empty has a Completed job whose record names a model.tar.gz that is not there:
CreateModel then says so.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import ExitStack
from itertools import chain
from typing import Any

from localcloud.sagemaker import images
from localcloud.sagemaker.cloud import News
from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.jobs import archives, child, cluster, metrics, transfer
from localcloud.sagemaker.jobs.failure_reasons import failure_reason
from localcloud.sagemaker.jobs.folder import Folder
from localcloud.sagemaker.jobs.instances import among, groups, resource_config, shard
from localcloud.sagemaker.jobs.job_types import secondary
from localcloud.sagemaker.jobs.lifecycle import JobFailedError, JobRun
from localcloud.sagemaker.jobs.metric_sending import send_metrics
from localcloud.sagemaker.jobs.training_retries import run_with_retries

DEFAULT_SECONDS = 86_400
NOT_DONE = (
    "CheckpointConfig",
    "TensorBoardOutputConfig",
    "DebugRuleConfigurations",
    "ServerlessJobConfig",
)
"""Parts of the request that would change what the job does, and that are not done here."""


def check(request: dict[str, Any]) -> None:
    """Refuse what AWS refuses beyond the request's shape, and what is not done here.

    Raises:
        ServiceError: ValidationException.
    """
    for name in NOT_DONE:
        if request.get(name):
            raise validation(f"The local SageMaker does not support {name} in a training job.")
    algorithm = request.get("AlgorithmSpecification", {})
    if not algorithm.get("TrainingImage"):
        raise validation(
            "AlgorithmSpecification.TrainingImage is missing: the local SageMaker has no algorithms by name."
        )
    entrypoint, own = algorithm.get("ContainerEntrypoint", []), request.get("Environment", {})
    program = images.training(algorithm["TrainingImage"], entrypoint, request.get("HyperParameters", {}), own)
    definitions = algorithm.get("MetricDefinitions", [])
    if definitions and program.metrics:
        raise validation(
            "You can't override the metric definitions for Amazon SageMaker algorithms. "
            "Please retry your request without specifying metric definitions."
        )
    metrics.compiled((item["Name"], item["Regex"]) for item in definitions)
    _check_spot(request)
    if request["OutputDataConfig"].get("CompressionType", "GZIP") != "GZIP":
        raise validation("The local SageMaker does only OutputDataConfig.CompressionType GZIP.")
    transfer.split(request["OutputDataConfig"]["S3OutputPath"])
    channels = request.get("InputDataConfig", [])
    names = [channel["ChannelName"] for channel in channels]
    if len(set(names)) != len(names):
        raise validation(f"InputDataConfig names a channel twice: {', '.join(sorted(names))}.")
    for channel in channels:
        _check_channel(channel, algorithm["TrainingInputMode"], [group.name for group in groups(request)])


def _check_spot(request: dict[str, Any]) -> None:
    """Managed spot training needs a time to wait, which is the run's and more; without it there is none to give.

    API reference, StoppingCondition; the second text is AWS's, as public issues show it.
    """
    condition = request["StoppingCondition"]
    longest, wait = condition.get("MaxRuntimeInSeconds", DEFAULT_SECONDS), condition.get("MaxWaitTimeInSeconds")
    if request.get("EnableManagedSpotTraining"):
        if wait is None or wait < longest:
            raise validation(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
            )
    elif wait is not None:
        raise validation(
            "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true"
        )


def _check_channel(channel: dict[str, Any], default_mode: str, group_names: list[str]) -> None:
    name, source = channel["ChannelName"], channel["DataSource"].get("S3DataSource")
    if source is None:
        raise validation(f"The channel {name!r} has no S3DataSource; the local SageMaker reads no other source.")
    if source["S3DataType"] not in {"S3Prefix", "ManifestFile"}:
        raise validation(f"The channel {name!r}: the local SageMaker does S3Prefix and ManifestFile only.")
    for group in source.get("InstanceGroupNames", []):
        if group not in group_names:
            raise validation(f"The channel {name!r} is for the instance group {group!r}, which the job does not have.")
    if channel.get("InputMode", default_mode) == "Pipe":
        raise validation(f"The channel {name!r}: the local SageMaker does not do Pipe mode; use File.")
    if channel.get("CompressionType", "None") != "None":
        raise validation(f"The channel {name!r}: the local SageMaker does only uncompressed data.")


def work(job: JobRun) -> None:
    """Do the job, again if its RetryStrategy says so; returns when the model is uploaded."""
    run_with_retries(job, _attempt)


def _attempt(job: JobRun) -> None:
    with cluster.turn(job), job.limited(DEFAULT_SECONDS):
        _turn(job, "Downloading")
        for channel in job.request.get("InputDataConfig", []):
            _download(job, channel)
        for host in job.hosts:
            _write_configuration(job, host)
        job.interruption.check()
        _turn(job, "Training")
        failed, exit_code = _run(job)
    _record_metrics(job)
    if exit_code and not job.interruption.event.is_set():
        image = job.request["AlgorithmSpecification"]["TrainingImage"]
        raise JobFailedError(failure_reason(failed, exit_code, image, len(job.hosts) > 1, job.kills_before))
    if not job.interruption.event.is_set():
        _turn(job, "Uploading")
    _upload(job)
    job.interruption.check()


def _download(job: JobRun, channel: dict[str, Any]) -> None:
    source = channel["DataSource"]["S3DataSource"]
    found = transfer.objects(job.s3, source["S3Uri"], source["S3DataType"])
    receivers = among(job.request, source.get("InstanceGroupNames", []))
    for host in job.hosts:
        target = host.base / "input" / "data" / channel["ChannelName"]
        target.mkdir(parents=True, exist_ok=True)
        own = shard(found, host.host, receivers, source.get("S3DataDistributionType", ""))
        transfer.download(job.s3, own, target, job.interruption)


def _turn(job: JobRun, status: str) -> None:
    """Give the job its next secondary status; the service announces those as well."""
    new = job.record(lambda record: {**record, **secondary(record, status)})
    job.cloud.announce(News(job.kind.name, job.name, new.status, new.status, new.body))


def _write_configuration(job: JobRun, host: Folder) -> None:
    mode = job.request["AlgorithmSpecification"]["TrainingInputMode"]
    channels = {
        channel["ChannelName"]: {
            "TrainingInputMode": channel.get("InputMode", mode),
            "S3DistributionType": channel["DataSource"]["S3DataSource"].get(
                "S3DataDistributionType", "FullyReplicated"
            ),
            "RecordWrapperType": channel.get("RecordWrapperType", "None"),
            **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
        }
        for channel in job.request.get("InputDataConfig", [])
    }
    host.write("input/config/hyperparameters.json", job.request.get("HyperParameters", {}))
    host.write("input/config/inputdataconfig.json", channels)
    host.write("input/config/resourceconfig.json", resource_config(job.request, host.host))
    (host.base / "output" / "data").mkdir(parents=True, exist_ok=True)


def _run(job: JobRun) -> tuple[Folder, int]:
    """Run the program on every instance; the first that failed and its exit code, or 0."""
    algorithm = job.request["AlgorithmSpecification"]
    program = images.program(algorithm["TrainingImage"], "train")
    words = algorithm.get("ContainerEntrypoint") or program.train
    words = images.command([*words, *algorithm.get("ContainerArguments", [])], program)
    own = {**job.request.get("Environment", {}), "TRAINING_JOB_NAME": job.name, "TRAINING_JOB_ARN": job.arn}
    own["LOCALCLOUD_IMAGE"] = algorithm["TrainingImage"]  # a program may do as its version does
    network = job.may_use_network(job.request.get("EnableNetworkIsolation"))

    def start(host: Folder, known: Mapping[str, str], shared: int) -> child.Child:
        environment = child.environment(job.cloud, host, own, job.role, program.interpreter)
        return child.Child(child.command(words, host), environment, host, network, known, shared)

    try:
        return cluster.run_all(job, start, not network)
    except OSError as error:
        raise JobFailedError(images.not_started(algorithm["TrainingImage"], "train", words[0], error)) from None


def _record_metrics(job: JobRun) -> None:
    algorithm = job.request["AlgorithmSpecification"]
    definitions = [(item["Name"], item["Regex"]) for item in algorithm.get("MetricDefinitions", [])]
    patterns = metrics.compiled(definitions or images.program(algorithm["TrainingImage"], "train").metrics)
    with ExitStack() as stack:  # algo-1 has the last word
        logs = [stack.enter_context(host.log.open(encoding="utf-8", errors="replace")) for host in reversed(job.hosts)]
        values = metrics.printed(patterns, chain.from_iterable(logs))
    if final := metrics.final(values, time.time()):
        job.record({"FinalMetricDataList": final})
    send_metrics(job.cloud, job.name, [(name, value) for name, value in values if math.isfinite(value)])


def _upload(job: JobRun) -> None:
    """Upload what the program left behind, whether it ended by itself or was stopped: a stopped one may have saved.

    Of several instances one archive holds what all wrote: "If multiple containers in a single training job write to
    this directory they should ensure no file/directory names clash. SageMaker AI aggregates the result in a TAR file"
    (developer guide, "How Amazon SageMaker AI Processes Training Output"). What a clash does is not documented; here
    the first instance's file stays, and the log says so.
    """
    bucket, prefix = transfer.split(job.request["OutputDataConfig"]["S3OutputPath"])
    prefix = "/".join(filter(None, (prefix.rstrip("/"), job.name, "output")))
    for name, place in (("model", "model"), ("output", "output/data")):
        folders = [host.base / place for host in job.hosts]
        if any(map(archives.files_below, folders)):
            archive = job.folder.root / f"{name}.tar.gz"
            for clash in archives.pack(folders, archive):
                job.say(f"Several instances wrote /opt/ml/{place}/{clash}: the first one's is in {archive.name}.")
            transfer.upload_file(job.s3, archive, bucket, f"{prefix}/{archive.name}")
            archive.unlink()
        elif name == "model":
            job.say(f"/opt/ml/{name} is empty: there is no {name}.tar.gz.")
    job.record({"ModelArtifacts": {"S3ModelArtifacts": f"s3://{bucket}/{prefix}/model.tar.gz"}})

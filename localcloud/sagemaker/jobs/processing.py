"""A processing job: inputs from S3, the container's program, outputs to S3.

The container's contract: "How Amazon SageMaker Processing runs your processing container image" in the developer guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.sagemaker import images
from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.jobs import archives, child, transfer
from localcloud.sagemaker.jobs.cluster import run_all
from localcloud.sagemaker.jobs.failure_reasons import failure_reason
from localcloud.sagemaker.jobs.folder import Folder
from localcloud.sagemaker.jobs.instances import resource_config, shard
from localcloud.sagemaker.jobs.interruption import Interruption
from localcloud.sagemaker.jobs.lifecycle import JobFailedError, JobRun

DEFAULT_SECONDS = 86_400
"""MaxRuntimeInSeconds when the request has none, as on AWS."""

PREFIX = "/opt/ml/processing/"


def check(request: dict[str, Any]) -> None:
    """Refuse what AWS refuses beyond the request's shape, and what is not done here.

    Raises:
        ServiceError: ValidationException.
    """
    application = request["AppSpecification"]
    images.processing(application["ImageUri"], application.get("ContainerEntrypoint", []))
    cluster = request["ProcessingResources"]["ClusterConfig"]
    for name in ("InstanceCount", "InstanceType"):
        if name not in cluster:
            raise validation(f"ProcessingResources.ClusterConfig.{name} is required.")
    for item in request.get("ProcessingInputs", []):
        name, source = item["InputName"], item.get("S3Input")
        if source is None:
            raise validation(f"The input {name!r} has no S3Input; the local SageMaker reads no other source.")
        _require_local_path(f"input {name!r}", source.get("LocalPath", ""))
        if source.get("S3InputMode", "File") != "File" or source.get("S3CompressionType", "None") != "None":
            raise validation(f"The input {name!r}: the local SageMaker does only S3InputMode File, uncompressed.")
    for item in request.get("ProcessingOutputConfig", {}).get("Outputs", []):
        name, target = item["OutputName"], item.get("S3Output")
        if target is None:
            raise validation(f"The output {name!r} has no S3Output; the local SageMaker writes to no other target.")
        _require_local_path(f"output {name!r}", target.get("LocalPath", ""))
        transfer.split(target["S3Uri"])


def _require_local_path(what: str, path: str) -> None:
    if not path.startswith(PREFIX) or ".." in path.split("/"):
        raise validation(f"The LocalPath {path!r} of {what} is invalid: it must begin with {PREFIX}.")


def work(job: JobRun) -> None:
    """Do the job; returns when every output is uploaded."""
    outputs = [item["S3Output"] for item in job.request.get("ProcessingOutputConfig", {}).get("Outputs", [])]
    with job.limited(DEFAULT_SECONDS):
        _download(job)
        for host in job.hosts:
            for output in outputs:
                host.path(output["LocalPath"]).mkdir(parents=True, exist_ok=True)
            _write_configuration(job, host)
        failed, exit_code = _run(job)
    message = next(filter(None, (host.message("output/message") for host in job.hosts)), "")
    if message:
        job.record({"ExitMessage": message})
    succeeded = exit_code == 0 and not job.interruption.event.is_set()
    for output in outputs:
        _upload(job, output, succeeded)
    job.interruption.check()
    if exit_code:
        image = job.request["AppSpecification"]["ImageUri"]
        raise JobFailedError(failure_reason(failed, exit_code, image, len(job.hosts) > 1, job.kills_before))


def _upload(job: JobRun, output: dict[str, Any], succeeded: bool) -> None:
    """Upload an output of every instance to its one place; of two files of one name the last instance's stays."""
    folders = [host.path(output["LocalPath"]) for host in job.hosts]
    if succeeded and not any(map(archives.files_below, folders)):
        job.say(f"{output['LocalPath']} is empty: nothing is uploaded to {output['S3Uri']}.")
    if succeeded or output["S3UploadMode"] == "Continuous":
        for folder in folders:
            transfer.upload(job.s3, folder, output["S3Uri"], job.interruption if succeeded else Interruption())


def _download(job: JobRun) -> None:
    names = [host.host for host in job.hosts]
    for item in job.request.get("ProcessingInputs", []):
        source = item["S3Input"]
        wanted = not item.get("AppManaged")
        found = transfer.objects(job.s3, source["S3Uri"], source["S3DataType"]) if wanted else []
        for host in job.hosts:
            target = host.path(source["LocalPath"])
            target.mkdir(parents=True, exist_ok=True)
            own = shard(found, host.host, names, source.get("S3DataDistributionType", ""))
            transfer.download(job.s3, own, target, job.interruption)


def _write_configuration(job: JobRun, host: Folder) -> None:
    host.write("config/processingjobconfig.json", {**job.request, "ProcessingJobArn": job.arn})
    told = resource_config(job.request, host.host)
    names = ("current_host", "hosts", "current_instance_type", "network_interface_name")
    host.write("config/resourceconfig.json", {name: told[name] for name in names})


def _run(job: JobRun) -> tuple[Folder, int]:
    """Run the program on every instance; the first that failed and its exit code, or 0."""
    application = job.request["AppSpecification"]
    program = images.program(application["ImageUri"], "process")
    words = [*application.get("ContainerEntrypoint", program.process), *application.get("ContainerArguments", [])]
    words = images.command(words, program)
    own = {**job.request.get("Environment", {}), "PROCESSING_JOB_ARN": job.arn, "PROCESSING_JOB_NAME": job.name}
    network = job.may_use_network(job.request.get("NetworkConfig", {}).get("EnableNetworkIsolation"))

    def start(host: Folder, known: Mapping[str, str], shared: int) -> child.Child:
        environment = child.environment(job.cloud, host, own, job.role, program.interpreter)
        return child.Child(child.command(words, host), environment, host, network, known, shared)

    try:
        return run_all(job, start, not network)
    except OSError as error:
        raise JobFailedError(images.not_started(application["ImageUri"], "process", words[0], error)) from None

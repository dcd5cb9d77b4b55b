"""A processing job: inputs from S3, the container's program, outputs to S3.

The container's contract: "How Amazon SageMaker Processing runs your processing container image" in the developer guide.
"""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker import images
from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.jobs import archives, child, transfer
from localcloud.sagemaker.jobs.failure_reasons import failure_reason
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
    if cluster["InstanceCount"] != 1:
        raise validation("The local SageMaker runs a processing job on one instance: set InstanceCount to 1.")
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
        for output in outputs:
            job.folder.path(output["LocalPath"]).mkdir(parents=True, exist_ok=True)
        exit_code = _run(job)
    message = job.folder.message("output/message")
    if message:
        job.record({"ExitMessage": message})
    succeeded = exit_code == 0 and not job.interruption.event.is_set()
    for output in outputs:
        continuous = output["S3UploadMode"] == "Continuous"
        if succeeded and not archives.files_below(job.folder.path(output["LocalPath"])):
            job.say(f"{output['LocalPath']} is empty: nothing is uploaded to {output['S3Uri']}.")
        if succeeded or continuous:
            interruption = job.interruption if succeeded else Interruption()
            transfer.upload(job.s3, job.folder.path(output["LocalPath"]), output["S3Uri"], interruption)
    job.interruption.check()
    if exit_code:
        raise JobFailedError(failure_reason(job.folder, exit_code, job.request["AppSpecification"]["ImageUri"]))


def _download(job: JobRun) -> None:
    for item in job.request.get("ProcessingInputs", []):
        source = item["S3Input"]
        target = job.folder.path(source["LocalPath"])
        target.mkdir(parents=True, exist_ok=True)
        if not item.get("AppManaged"):
            found = transfer.objects(job.s3, source["S3Uri"], source["S3DataType"])
            transfer.download(job.s3, found, target, job.interruption)


def _run(job: JobRun) -> int:
    application = job.request["AppSpecification"]
    cluster = job.request["ProcessingResources"]["ClusterConfig"]
    job.folder.write("config/processingjobconfig.json", {**job.request, "ProcessingJobArn": job.arn})
    job.folder.write(
        "config/resourceconfig.json",
        {
            "current_host": "algo-1",
            "hosts": ["algo-1"],
            "current_instance_type": cluster["InstanceType"],
            "network_interface_name": "lo",
        },
    )
    program = images.program(application["ImageUri"], "process")
    words = [*application.get("ContainerEntrypoint", program.process), *application.get("ContainerArguments", [])]
    words = images.command(words, program)
    own = {**job.request.get("Environment", {}), "PROCESSING_JOB_ARN": job.arn, "PROCESSING_JOB_NAME": job.name}
    environment = child.environment(job.cloud, job.folder, own, job.role, program.interpreter)
    try:
        network = job.may_use_network(job.request.get("NetworkConfig", {}).get("EnableNetworkIsolation"))
        return child.run(child.command(words, job.folder), environment, job.folder, job.interruption, network)
    except OSError as error:
        raise JobFailedError(images.not_started(application["ImageUri"], "process", words[0], error)) from None

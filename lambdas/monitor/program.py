"""The monitoring job: image, entry point and environment, the same for either scheduler.

The image is AWS's scikit-learn container, which has Python, numpy and boto3; the program is ours, a zip in the bucket.
A monitoring schedule has one input, the captured traffic, so the program cannot come as another: BOOTSTRAP fetches it.
(RecordPreprocessorSourceUri would be fetched by SageMaker, but only AWS's prebuilt analyzer runs it, and that one
refuses pictures.) SageMaker takes no line break in an entry point, and at most 256 characters.
"""

from __future__ import annotations

from typing import Any

from lambdas import configuration
from lambdas.filter_inferences.threshold import stored
from lambdas.monitor.watching import Watching, WatchRecord

BOOTSTRAP = (
    "import boto3,os,sys,tempfile;b,k,*a=sys.argv[1:];p=tempfile.mkdtemp()+'/code.zip';"
    "boto3.client('s3').download_file(b,k,p);os.execv(sys.executable,[sys.executable,p,*a])"
)
MAX_SECONDS = 1800
"""An hourly monitoring schedule allows 3,600; a run takes a minute."""
PROCESSING = "/opt/ml/processing"
TRAFFIC = f"{PROCESSING}/input/endpoint"
OUTPUT = f"{PROCESSING}/output"


def application(host: Watching) -> dict[str, Any]:
    """ImageUri, ContainerEntrypoint and ContainerArguments."""
    return {
        "ImageUri": host.image,
        "ContainerEntrypoint": ["python3", "-c", BOOTSTRAP],
        "ContainerArguments": [host.bucket, host.code, "monitor"],
    }


def cluster(host: Watching) -> dict[str, Any]:
    """One instance: the program reads as fast as S3 delivers."""
    return {"ClusterConfig": {"InstanceCount": 1, "InstanceType": host.instance_type, "VolumeSizeInGB": 20}}


def environment(host: Watching, ssm: Any, record: WatchRecord) -> dict[str, str]:
    """What Model Monitor does not tell a program: classes, limits, least records, sampling, and whom it is about."""
    return {
        "model_version": str(record["version"]),
        "classes": ",".join(configuration.classes()),
        "confidence_threshold": str(stored(ssm, configuration.threshold_parameter())),
        "unfamiliarity_limit": str(stored(ssm, configuration.unfamiliarity_parameter())),
        "minimum_records": str(host.minimum_records),
        "sampling_percentage": str(host.sampling),
    }

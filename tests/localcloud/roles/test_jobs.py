"""Jobs under `--enforce-roles`: they act in the name of their role."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from cloud_fixtures import LocalCloud, eventually
from role_support import ACCOUNT, IMAGE, REGION, UNTRUSTED, Account


def test_a_job_acts_in_the_name_of_its_role(root: Account, local_cloud: LocalCloud) -> None:
    root("s3").create_bucket(Bucket="roles-data")
    root("s3").put_object(Bucket="roles-data", Key="in/a", Body=b"a")
    reads = {"Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::roles-data*"]}
    role = root.role("roles-job", "sagemaker.amazonaws.com", reads)
    source = (
        "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'], flush=True); "
        "boto3.client('sagemaker').list_models()"
    )
    words = {
        "roles-job-calls": ["python3", "-I", "-c", source],
        "roles-job-writes": ["cp", "-r", "/opt/ml/processing/in", "/opt/ml/processing/out"],
    }
    sagemaker = root("sagemaker")
    ends = {}

    def end(name: str) -> Any:
        return sagemaker.describe_processing_job(ProcessingJobName=name)

    for name, entrypoint in words.items():
        sagemaker.create_processing_job(
            ProcessingJobName=name,
            RoleArn=role,
            AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": entrypoint},
            ProcessingResources={
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
            },
            ProcessingInputs=[
                {
                    "InputName": "in",
                    "S3Input": {
                        "S3Uri": "s3://roles-data/in/",
                        "LocalPath": "/opt/ml/processing/in",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
            ],
            ProcessingOutputConfig={
                "Outputs": [
                    {
                        "OutputName": "out",
                        "S3Output": {
                            "S3Uri": "s3://roles-data/out/",
                            "LocalPath": "/opt/ml/processing/out",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                ]
            },
        )
        eventually(lambda name=name: end(name)["ProcessingJobStatus"] != "InProgress")
        ends[name] = end(name)
    who = f"arn:aws:sts::{ACCOUNT}:assumed-role/roles-job/SageMaker"
    log = (local_cloud.state / "regions" / REGION / "jobs" / "processing-roles-job-calls" / "log.txt").read_text()
    assert who in log
    assert (
        f"(AccessDeniedException) when calling the ListModels operation: User: {who} is not authorized to perform: "
        "sagemaker:ListModels on resource: * because no identity-based policy allows the sagemaker:ListModels action"
    ) in log
    assert ends["roles-job-writes"]["ProcessingJobStatus"] == "Failed"
    assert "not authorized to perform: s3:PutObject" in ends["roles-job-writes"]["FailureReason"]
    with pytest.raises(ClientError, match=f"Could not assume role {UNTRUSTED}. Please ensure that the role exists"):
        sagemaker.create_pipeline(PipelineName="roles", PipelineDefinition="{}", RoleArn=UNTRUSTED)

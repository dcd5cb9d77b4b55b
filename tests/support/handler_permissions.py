"""What CloudFormation calls in the caller's name, by the handlers in its own resource schemas, which cfn-lint carries.

A schema names what a handler needs for every property there is. What serves only properties that no resource here has
is left out, under the name of the property: who begins to use it is told by a test which actions a build needs for it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cfnlint.data.AdditionalSpecs
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from iam_support import ACCOUNT, BUCKET, PROJECT, REGION, arn

HANDLERS = ("create", "read", "update", "delete")  # a deployment lists nothing
IAM: dict[str, Any] = json.loads(
    (Path(cfnlint.data.AdditionalSpecs.__file__).with_name("Policies.json")).read_text(encoding="utf-8")
)
"""Every action that IAM knows, and the kinds of resources that it takes (the Service Authorization Reference)."""

ACTED_ON = {
    "AWS::S3::Bucket": f"arn:aws:s3:::{BUCKET}",
    "AWS::S3::BucketPolicy": f"arn:aws:s3:::{BUCKET}",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{PROJECT}-deploy",
    "AWS::SNS::Topic": arn("sns", f"{PROJECT}-alerts"),
    "AWS::SNS::Subscription": arn("sns", f"{PROJECT}-alerts"),
    "AWS::SSM::Parameter": arn("ssm", f"parameter/{PROJECT}/inference/threshold"),
    "AWS::Lambda::LayerVersion": arn("lambda", f"layer:{PROJECT}-libraries"),
    "AWS::Lambda::Function": arn("lambda", f"function:{PROJECT}-deploy"),
    "AWS::Lambda::Permission": arn("lambda", f"function:{PROJECT}-deploy"),
    "AWS::Lambda::EventInvokeConfig": arn("lambda", f"function:{PROJECT}-deploy"),
    "AWS::Logs::LogGroup": arn("logs", f"log-group:/aws/lambda/{PROJECT}-deploy:*"),
    "AWS::CloudWatch::Alarm": arn("cloudwatch", f"alarm:{PROJECT}-drift"),
    "AWS::CloudWatch::CompositeAlarm": arn("cloudwatch", f"alarm:{PROJECT}-silent"),
    "AWS::CloudWatch::Dashboard": f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{PROJECT}",
    "AWS::StepFunctions::StateMachine": arn("states", f"stateMachine:{PROJECT}-deploy"),
    "AWS::SQS::Queue": arn("sqs", f"{PROJECT}-undelivered"),
    "AWS::SQS::QueuePolicy": arn("sqs", f"{PROJECT}-undelivered"),
    "AWS::Events::Rule": arn("events", f"rule/{PROJECT}-approval"),
}
"""One resource of each type that the stack has, or may come to have."""

FOR: dict[str, set[str]] = {
    "VpcConfig": {"ec2:*"},
    "FileSystemConfigs": {"elasticfilesystem:*", "s3files:*"},
    "KmsKeyArn": {"kms:*"},
    "KmsKeyId": {"kms:*", "logs:AssociateKmsKey", "logs:DisassociateKmsKey"},
    "EncryptionConfiguration": {"kms:*"},
    "MetadataTableConfiguration": {"s3tables:*", "s3:CreateBucketMetadataTableConfiguration"},
    "MetadataConfiguration": {
        *("s3:DeleteBucketMetadataTableConfiguration", "s3:UpdateBucketMetadataJournalTableConfiguration"),
        *("s3:UpdateBucketMetadataInventoryTableConfiguration", "s3:UpdateBucketMetadataAnnotationTableConfiguration"),
    },
    "AccelerateConfiguration": {"s3:PutAccelerateConfiguration"},
    "AccessControl": {"s3:PutBucketAcl", "s3:PutObjectAcl"},
    "AbacStatus": {"s3:PutBucketAbac"},
    "AnalyticsConfigurations": {"s3:PutAnalyticsConfiguration"},
    "CorsConfiguration": {"s3:PutBucketCORS"},
    "IntelligentTieringConfigurations": {"s3:PutIntelligentTieringConfiguration"},
    "InventoryConfigurations": {"s3:PutInventoryConfiguration"},
    "LoggingConfiguration/DestinationBucketName": {"s3:PutBucketLogging"},
    "MetricsConfigurations": {"s3:PutMetricsConfiguration"},
    "ObjectLockConfiguration": {"s3:PutBucketObjectLockConfiguration"},
    "ReplicationConfiguration": {"s3:PutReplicationConfiguration", "s3:DeleteObject"},
    "WebsiteConfiguration": {"s3:PutBucketWebsite", "s3:DeleteBucketWebsite"},
    "SubscriptionRoleArn": {"iam:GetRole"},
    "DeliveryStatusLogging": {"iam:GetRole"},
    "ManagedPolicyArns": {"iam:AttachRolePolicy"},
    "S3ObjectVersion": {"s3:GetObjectVersion"},
    "DefinitionS3Location/Version": {"s3:GetObjectVersion"},
    "ReservedConcurrentExecutions": {"lambda:PutFunctionConcurrency", "lambda:DeleteFunctionConcurrency"},
    "CodeSigningConfigArn": {
        *("lambda:PutFunctionCodeSigningConfig", "lambda:DeleteFunctionCodeSigningConfig"),
        "lambda:GetCodeSigningConfig",
    },
    "RuntimeManagementConfig": {"lambda:PutRuntimeManagementConfig"},
    "RecursiveLoop": {"lambda:PutFunctionRecursionConfig"},
    "FunctionScalingConfig": {"lambda:PutFunctionScalingConfig"},
    "CapacityProviderConfig": {"lambda:PassCapacityProvider"},
    "PublishToLatestPublished": {"lambda:PublishVersion"},
    "DataProtectionPolicy": {
        *("logs:PutDataProtectionPolicy", "logs:DeleteDataProtectionPolicy", "logs:CreateLogDelivery", "firehose:*"),
        "sns:PutDataProtectionPolicy",
    },
    "FieldIndexPolicies": {"logs:PutIndexPolicy", "logs:DeleteIndexPolicy"},
    "ResourcePolicyDocument": {"logs:PutResourcePolicy", "logs:DeleteResourcePolicy"},
    "DeletionProtectionEnabled": {"logs:PutLogGroupDeletionProtection"},
    "BearerTokenAuthenticationEnabled": {"logs:PutBearerTokenAuthentication"},
}
"""Property -> the actions that only it needs; a name with a slash is a property within one."""

WITHHELD = {
    "s3:DeleteBucket": "the bucket outlives the stack (DeletionPolicy: Retain)",
    "iam:DeleteRolePermissionsBoundary": "a role keeps the boundary; a person takes it off",
}


def schema(kind: str) -> dict[str, Any]:
    """CloudFormation's schema of a type of resource."""
    found: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
    return found


def is_known(action: str) -> bool:
    """Whether IAM has that action: handlers also name operations of S3's that are permitted under another name."""
    service, _, verb = action.partition(":")
    return verb.lower() in IAM[service]["Actions"]


def takes_resources(action: str) -> bool:
    """Whether a policy can say what the action may be used on; if not, only `*` allows it."""
    service, _, verb = action.partition(":")
    return bool(IAM[service]["Actions"][verb.lower()].get("Resources"))


def has(resource: dict[str, Any], name: str) -> bool:
    """Whether a resource of a template has that property somewhere."""
    text = json.dumps(resource["Properties"])
    return all(f'"{part}":' in text for part in name.split("/"))


def called(kind: str, resources: list[dict[str, Any]]) -> set[str]:
    """The actions that CloudFormation calls for these resources of one kind."""
    described = schema(kind)
    handlers, text = described.get("handlers", {}), json.dumps(described)
    named = {one for handler in HANDLERS for one in handlers.get(handler, {}).get("permissions", [])}
    used, unused = set[str](), set[str]()
    for name, actions in FOR.items():
        if all(f'"{part}":' in text for part in name.split("/")):
            (used if any(has(each, name) for each in resources) else unused).update(actions)
    return {
        action
        for action in named
        if is_known(action) and action not in WITHHELD and (action in used or not {action, _any(action)} & unused)
    }


def _any(action: str) -> str:
    return action.partition(":")[0] + ":*"

"""Model packages: registered models. A version of a group has the ARN …:model-package/<group>/<version>.

The store's status of a package is its approval; its ModelPackageStatus is always Completed, because nothing is scanned
or validated here.
"""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker.cloud import Cloud, News
from localcloud.sagemaker.errors import ServiceError, validation
from localcloud.sagemaker.models import MODEL_PACKAGE
from localcloud.sagemaker.operations.listing import page
from localcloud.sagemaker.operations.model_package_groups import GROUP
from localcloud.sagemaker.operations.tags import as_dict
from localcloud.sagemaker.registry import operation
from localcloud.sagemaker.resources import described, existing
from localcloud.sagemaker.store import AlreadyExistsError, Body, Resource

KIND = MODEL_PACKAGE.name
UPDATED_AS_THEY_ARE = (
    "ModelApprovalStatus",
    "ModelPackageRegistrationType",
    "ApprovalDescription",
    "InferenceSpecification",
    "SourceUri",
    "ModelCard",
    "ModelLifeCycle",
)
MOST_PROPERTIES = 50
REMEMBERED = 50
"""So many of a group's newest packages are looked through for a ClientToken that comes again."""


@operation("CreateModelPackage")
def create(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Register a model: the next version of its group, or a package of its own under ModelPackageName.

    A request that is repeated with its ClientToken gets the package that the first one made.
    """
    group, name = request.get("ModelPackageGroupName"), request.get("ModelPackageName")
    if bool(group) == bool(name):
        raise validation("Exactly one of ModelPackageName and ModelPackageGroupName must be given.")
    if not request.get("InferenceSpecification") and not request.get("SourceUri"):
        raise validation("InferenceSpecification is required: SourceAlgorithmSpecification is not supported locally.")
    with cloud.store.transaction():
        if made := _made_before(cloud, request):
            return {"ModelPackageArn": made.arn}
        resource = _add_version(cloud, group, request) if group else _add_unversioned(cloud, str(name), request)
    cloud.announce(News(KIND, resource.name, resource.status, "", resource.body))
    return {"ModelPackageArn": resource.arn}


def _made_before(cloud: Cloud, request: Body) -> Resource | None:
    token = request.get("ClientToken")
    group = request.get("ModelPackageGroupName", "").rpartition("/")[2]
    made = cloud.store.page(KIND, parent=group, limit=REMEMBERED)[0] if token else []
    return next((resource for resource in made if resource.body.get("ClientToken") == token), None)


def _add_version(cloud: Cloud, group_name: str, request: Body) -> Resource:
    if request.get("Tags"):
        raise validation("Tags cannot be given for a model package version: it has its group's.")
    group = existing(cloud, GROUP, group_name)
    version = group.body["LastVersion"] + 1  # a number is never given out twice, not even after a delete
    cloud.store.update(GROUP.name, group.name, {"LastVersion": version})
    approval = request.get("ModelApprovalStatus", "PendingManualApproval")
    own = {"ModelPackageGroupName": group.name, "ModelPackageVersion": version, "ModelApprovalStatus": approval}
    name = f"{group.name}/{version}"
    arn = cloud.arn(f"model-package/{name}")
    body = {**_body(request, arn), **own, "ModelPackageName": name}
    return cloud.store.insert(KIND, name, body, arn=arn, parent=group.name, status=approval)


def _add_unversioned(cloud: Cloud, name: str, request: Body) -> Resource:
    arn = cloud.arn(f"model-package/{name}")
    try:
        resource = cloud.store.insert(KIND, name, _body(request, arn), arn=arn)
    except AlreadyExistsError:
        raise validation(f"Model Package already exists: {arn}") from None
    cloud.store.set_tags(arn, as_dict(request.get("Tags")))
    return resource


def _body(request: Body, arn: str) -> Body:
    details: Body = {"ValidationStatuses": [], "ImageScanStatuses": []}
    return {
        "CertifyForMarketplace": False,
        **request,
        "ModelPackageArn": arn,
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": details,
        "CreatedBy": {},
    }


@operation("DescribeModelPackage")
def describe(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """The package, by ARN (or by name, for one without a group)."""
    return described(existing(cloud, MODEL_PACKAGE, request["ModelPackageName"]))


@operation("BatchDescribeModelPackage")
def describe_many(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Packages by ARN, and for each that is not there why."""
    found: Body = {}
    missing: Body = {}
    for arn in request["ModelPackageArnList"]:
        try:
            found[arn] = described(existing(cloud, MODEL_PACKAGE, arn))
        except ServiceError as error:
            missing[arn] = {"ErrorCode": error.code, "ErrorResponse": error.message}
    return {"ModelPackageSummaries": found, "BatchDescribeModelPackageErrorMap": missing}


@operation("ListModelPackages")
def listing(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Versions of a group, or packages without one; oldest first unless asked otherwise."""
    group = request.get("ModelPackageGroupName")
    wanted = request.get("ModelPackageType", "Versioned" if group else "Unversioned")
    if group and wanted == "Unversioned":
        raise validation("ModelPackageGroupName cannot be given with ModelPackageType Unversioned.")
    if wanted == "Versioned" and not group:
        raise validation("ModelPackageType Versioned needs a ModelPackageGroupName in the local SageMaker.")
    parent = existing(cloud, GROUP, group).name if group else "" if wanted == "Unversioned" else None
    return page(
        cloud,
        request,
        KIND,
        described,
        answer="ModelPackageSummaryList",
        descending=False,
        status="ModelApprovalStatus",
        parent=parent,
    )


@operation("UpdateModelPackage")
def update(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Change a package's approval, description of it, metadata and so on. Any approval may follow any other."""
    with cloud.store.transaction():
        old = existing(cloud, MODEL_PACKAGE, request["ModelPackageArn"])
        changes: Body = {name: request[name] for name in UPDATED_AS_THEY_ARE if name in request}
        changes["CustomerMetadataProperties"] = _properties(old.body, request)
        added = request.get("AdditionalInferenceSpecificationsToAdd", [])
        if added:
            before = old.body.get("AdditionalInferenceSpecifications", [])
            changes["AdditionalInferenceSpecifications"] = [*before, *added]
        status = request.get("ModelApprovalStatus", old.status)
        new = cloud.store.update(KIND, old.name, changes, status=status)
    cloud.announce(News(KIND, new.name, new.status, old.status, new.body))
    return {"ModelPackageArn": new.arn}


def _properties(body: Body, request: Body) -> dict[str, str]:
    removed = request.get("CustomerMetadataPropertiesToRemove", [])
    old = {key: value for key, value in body.get("CustomerMetadataProperties", {}).items() if key not in removed}
    properties = {**old, **request.get("CustomerMetadataProperties", {})}
    if len(properties) > MOST_PROPERTIES:
        raise validation(
            f"CustomerMetadataProperties would have {len(properties)} entries; {MOST_PROPERTIES} are allowed."
        )
    return properties


@operation("DeleteModelPackage")
def delete(cloud: Cloud, request: dict[str, Any]) -> None:
    """Forget a package; its version number is not used again."""
    cloud.store.delete(KIND, existing(cloud, MODEL_PACKAGE, request["ModelPackageName"]).name)

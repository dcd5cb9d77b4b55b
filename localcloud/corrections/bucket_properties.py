"""Life cycle, encryption, ownership and tags of a bucket in a template are stored and described."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import botocore.session
from botocore.serialize import create_serializer
from ministack.services import s3
from ministack.services.cloudformation import provisioners

from localcloud.corrections import seam

BEHAVIOUR = (
    "BucketEncryption, LifecycleConfiguration, OwnershipControls and Tags of an AWS::S3::Bucket are what S3 describes; "
    "a property that an update drops is removed."
)
EVIDENCE = (
    "CloudFormation template reference, AWS::S3::Bucket and its property types; the calls' bodies are made from "
    "botocore's service model of S3."
)
MINISTACK = "1.5.33"

_LIFECYCLE_SAME = ("Status", "AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration")
_FILTERS = ("Prefix", "ObjectSizeGreaterThan", "ObjectSizeLessThan")


@cache
def _model() -> Any:
    return botocore.session.get_session().get_service_model("s3")


def _body(operation: str, **members: Any) -> bytes:
    """The body of that call of S3."""
    model = _model().operation_model(operation)
    serializer = create_serializer("rest-xml", include_validation=False)  # a template's numbers may be text
    body: bytes = serializer.serialize_to_request({"Bucket": "any", **members}, model)["body"]
    return body


def encryption(prop: dict[str, Any]) -> bytes:
    """A `BucketEncryption` as the body of PutBucketEncryption."""
    rules = []
    for one in prop.get("ServerSideEncryptionConfiguration") or []:
        rule = {"BucketKeyEnabled": _true(one.get("BucketKeyEnabled"))}
        if "ServerSideEncryptionByDefault" in one:
            rule["ApplyServerSideEncryptionByDefault"] = one["ServerSideEncryptionByDefault"]
        rules.append(rule)
    return _body("PutBucketEncryption", ServerSideEncryptionConfiguration={"Rules": rules})


def life_cycle(prop: dict[str, Any]) -> bytes:
    """A `LifecycleConfiguration` as the body of PutBucketLifecycleConfiguration."""
    rules = [_rule(one) for one in prop.get("Rules") or []]
    return _body("PutBucketLifecycleConfiguration", LifecycleConfiguration={"Rules": rules})


def _rule(one: dict[str, Any]) -> dict[str, Any]:
    rule = {name: one[name] for name in _LIFECYCLE_SAME if name in one}
    if "Id" in one:
        rule["ID"] = one["Id"]
    expiration = {
        target: one[name] for name, target in (("ExpirationInDays", "Days"), ("ExpirationDate", "Date")) if name in one
    }
    if "ExpiredObjectDeleteMarker" in one:
        expiration["ExpiredObjectDeleteMarker"] = _true(one["ExpiredObjectDeleteMarker"])
    if expiration:
        rule["Expiration"] = expiration
    if "NoncurrentVersionExpirationInDays" in one:
        rule["NoncurrentVersionExpiration"] = {"NoncurrentDays": one["NoncurrentVersionExpirationInDays"]}
    rule["Transitions"] = [
        _renamed(each, TransitionInDays="Days", TransitionDate="Date") for each in _one_or_more(one, "Transition")
    ]
    rule["NoncurrentVersionTransitions"] = [
        _renamed(each, TransitionInDays="NoncurrentDays") for each in _one_or_more(one, "NoncurrentVersionTransition")
    ]
    rule["Filter"] = _filter(one)
    return {name: value for name, value in rule.items() if value != []}


def _filter(one: dict[str, Any]) -> dict[str, Any]:
    """S3 takes one condition, or several in an `And`."""
    conditions = {name: one[name] for name in _FILTERS if name in one}
    tags = one.get("TagFilters") or []
    if len(conditions) + len(tags) > 1:
        return {"And": {**conditions, **({"Tags": tags} if tags else {})}}
    return {"Tag": tags[0]} if tags else conditions or {"Prefix": ""}


def ownership(prop: dict[str, Any]) -> bytes:
    """An `OwnershipControls` as the body of PutBucketOwnershipControls."""
    return _body("PutBucketOwnershipControls", OwnershipControls=prop)


def tags(prop: list[dict[str, Any]]) -> bytes:
    """`Tags` as the body of PutBucketTagging."""
    return _body("PutBucketTagging", Tagging={"TagSet": prop or []})


def _one_or_more(one: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """A property that has an older form for a single value."""
    return one.get(f"{name}s") or ([one[name]] if name in one else [])


def _renamed(one: dict[str, Any], **names: str) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in one.items()}


def _true(value: Any) -> bool:
    return str(value).lower() == "true"


def _checked(name: str, put: Callable[..., Any]) -> Callable[[str, bytes], None]:
    """A put that fails the resource, as on AWS, when S3 refuses the property."""

    def checked(bucket: str, body: bytes) -> None:
        status, _, answer = put(bucket, body)[:3]
        if status >= 400:
            raise ValueError(f"AWS::S3::Bucket {name} rejected: {answer!r}")

    return checked


_PROPERTIES = (
    ("BucketEncryption", encryption, "_put_bucket_encryption", "_delete_bucket_encryption"),
    ("LifecycleConfiguration", life_cycle, "_put_bucket_lifecycle", "_delete_bucket_lifecycle"),
    ("OwnershipControls", ownership, "_put_bucket_ownership_controls", "_delete_bucket_ownership_controls"),
    ("Tags", tags, "_put_bucket_tagging", "_delete_bucket_tagging"),
)


def apply() -> None:
    """Raises SeamError when MiniStack keeps buckets, or reads their properties, in another way."""
    known = getattr(provisioners, "_S3_BUCKET_CONFIGURATIONS", None)
    if not isinstance(known, tuple) or any(len(one) != 4 for one in known):
        raise seam.SeamError(
            "Correction bucket_properties does not fit this MiniStack: "
            "cloudformation.provisioners._S3_BUCKET_CONFIGURATIONS is another table."
        )
    more = []
    for name, to_xml, put, delete in _PROPERTIES:
        setter = seam.original(__name__, s3, put, "name", "body")
        more.append((name, to_xml, _checked(name, setter), seam.original(__name__, s3, delete, "name")))
    provisioners._S3_BUCKET_CONFIGURATIONS = (*known, *more)

"""The account: who is calling, the bucket, the stack, the roles and who may assume them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from infra import stack, template
from infra.doctor.finding import Finding, ok, problem, unknown
from project import aws
from project.errors import SconesError
from project.names import Names

DEPLOY = "scones infra deploy"


def bucket(names: Names) -> Iterator[Finding]:
    """The project's bucket is there, is this account's, and lies in the project's region."""
    s3 = aws.client("s3")
    why = "Data, job code, models and captured traffic go there."
    try:
        s3.head_bucket(Bucket=names.bucket, ExpectedBucketOwner=names.account)
        where = s3.get_bucket_location(Bucket=names.bucket)["LocationConstraint"] or "us-east-1"
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 404:
            yield problem("bucket", f"{names.bucket} does not exist", why, DEPLOY)
        elif status == 403:
            fix = "Choose another `project` in scones.toml, or have the caller's policy extended by s3:ListBucket."
            yield problem("bucket", f"{names.bucket} is somebody else's, or the caller may not look at it", why, fix)
        else:
            raise
        return
    if where != names.settings.region:
        why = "SageMaker reads and writes only buckets of its own region."
        yield problem("bucket", f"{names.bucket} lies in {where}", why, "Delete it, or change `region` in scones.toml.")
    else:
        yield ok("bucket", names.bucket)


def resources(names: Names) -> Iterator[Finding]:
    """The stack's last change went well."""
    why = "Roles, functions, state machines and rules come from it."
    status = stack.status_of(names.stack)
    if status is None:
        yield problem("stack", f"{names.stack} does not exist", why, DEPLOY)
    elif status.endswith("_IN_PROGRESS"):
        yield problem("stack", f"{names.stack} is {status}", why, "Wait, then ask again.")
    elif status in stack.EMPTY:
        yield problem("stack", f"{names.stack} is {status}: its creation came to nothing", why, DEPLOY)
    elif status not in stack.UPDATABLE:
        fix = f"CloudFormation, stack {names.stack}, Stack actions, Continue update rollback."
        yield problem("stack", f"{names.stack} is {status}: it cannot be updated", why, fix)
    else:
        yield ok("stack", f"{names.stack} is {status}")


def roles(names: Names) -> Iterator[Finding]:
    """Every role of the template is there, and the service that it is for may assume it."""
    if stack.status_of(names.stack) is None:
        return  # one line about the stack says it all
    for logical, role in template.load()["Resources"].items():
        if role["Type"] != "AWS::IAM::Role" or role.get("Condition"):
            continue
        name = role["Properties"]["RoleName"]["Fn::Sub"].replace("${ProjectName}", names.settings.project)
        yield _role(name, logical, _services(role["Properties"]["AssumeRolePolicyDocument"]))


def _role(name: str, logical: str, wanted: set[str]) -> Finding:
    client = aws.client("iam")
    subject = f"role {name}"
    try:
        trusted = _services(client.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"])
    except client.exceptions.NoSuchEntityException:
        return problem(subject, "does not exist", f"{logical} of infra/template.yaml is what needs it.", DEPLOY)
    if not wanted <= trusted:
        missing = ", ".join(sorted(wanted - trusted))
        why = f"{missing} cannot assume it, so what runs under it fails with AccessDenied."
        return problem(subject, f"trusts {', '.join(sorted(trusted)) or 'nobody'}, not {missing}", why, DEPLOY)
    return ok(subject, f"trusts {', '.join(sorted(wanted))}")


def _services(trust: dict[str, Any]) -> set[str]:
    services: set[str] = set()
    for statement in trust["Statement"]:
        named = statement["Principal"].get("Service", []) if isinstance(statement["Principal"], dict) else []
        services |= {named} if isinstance(named, str) else set(named)
    return services


def caller(names: Names) -> Iterator[Finding]:
    """The caller may give SageMaker the pipeline's role, which an upsert does.

    An account's root and simulators that are not allowed leave the question open.
    """
    with aws.explained("asking who is calling"):
        arn: str = aws.client("sts").get_caller_identity()["Arn"]
    principal = _simulated(arn)
    if principal is None:
        yield unknown("permission to pass the role", f"{arn}: the simulator takes users and roles only")
        return
    try:
        answer = aws.client("iam").simulate_principal_policy(
            PolicySourceArn=principal,
            ActionNames=["iam:PassRole"],
            ResourceArns=[names.pipeline_role],
            ContextEntries=[
                {
                    "ContextKeyName": "iam:PassedToService",
                    "ContextKeyType": "string",
                    "ContextKeyValues": ["sagemaker.amazonaws.com"],
                }
            ],
        )
    except ClientError as error:
        yield unknown("permission to pass the role", f"not answered: {error.response['Error']['Code']}")
        return
    decision = answer["EvaluationResults"][0]["EvalDecision"]
    if decision == "allowed":
        yield ok("permission to pass the role", f"{principal} may pass {names.pipeline_role}")
    else:
        yield problem(
            "permission to pass the role",
            f"{principal}: iam:PassRole on {names.pipeline_role} is {decision}",
            "CreatePipeline and UpdatePipeline are refused without it.",
            "Allow iam:PassRole on that role with the condition iam:PassedToService = sagemaker.amazonaws.com.",
        )


def _simulated(arn: str) -> str | None:
    """The user or role behind a caller's ARN; None for root. A role's path is not in a session's ARN."""
    _, partition, _, _, account, resource = arn.split(":", 5)
    kind, _, name = resource.partition("/")
    if kind == "user":
        return arn
    if kind == "assumed-role":
        return f"arn:{partition}:iam::{account}:role/{name.partition('/')[0]}"
    return None


def identity() -> tuple[Names | None, Finding]:
    """The project's names in the caller's account; None when there are no valid credentials."""
    try:
        names = aws.names()
    except SconesError as error:
        return None, problem("credentials", error.problem, "Nothing can be asked or made without them.", error.fix)
    return names, ok("credentials", f"account {names.account}")

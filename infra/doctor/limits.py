"""Limits of the account: quotas that a new account has at zero, and Model Monitor, which it does not get at all."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

from infra import stack
from infra.doctor.finding import Finding, ok, problem, unknown
from project import aws
from project.names import Names

CONCURRENT_BUILDS = "Concurrently running builds for Linux/Large environment"
"""CodeBuild's quota for the machine of infra/ci.yaml (BUILD_GENERAL1_LARGE); new accounts may have it at 0."""


def quotas(names: Names) -> Iterator[Finding]:
    """How many instances of each type asked for the account may run, per purpose."""
    instances, serving = names.settings.instances, names.settings.serving
    wanted = {
        f"{instances.processing} for processing job usage": 1,
        f"{instances.training} for training job usage": 1,
        f"{instances.transform} for transform job usage": 1,
        # An update runs old and new instances side by side.
        f"{instances.endpoint} for endpoint usage": 2 * max(serving.instance_count, serving.max_instances),
    }
    try:
        pages = aws.client("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker")
        allowed = {quota["QuotaName"]: quota["Value"] for page in pages for quota in page["Quotas"]}
    except (ClientError, BotoCoreError) as error:
        yield unknown("quotas", f"Service Quotas does not answer here ({type(error).__name__})")
        return
    for quota, needed in wanted.items():
        if quota not in allowed:
            yield unknown(f"quota {quota}", "not listed in this region; AWS's default applies")
        elif allowed[quota] < needed:
            why = f"{needed} {'is' if needed == 1 else 'are'} needed; jobs and endpoints beyond the quota are refused."
            fix = f'Ask for more: Service Quotas, Amazon SageMaker, "{quota}".'
            yield problem(f"quota {quota}", f"{allowed[quota]:g}", why, fix)
        else:
            yield ok(f"quota {quota}", f"{allowed[quota]:g}")


def builds(names: Names) -> Iterator[Finding]:
    """How many builds of the stack's machine may run at once, where the account has the stack of infra/ci.yaml."""
    if stack.status_of(f"{names.stack}-ci") is None:
        return
    subject = f"quota {CONCURRENT_BUILDS}"
    try:
        pages = aws.client("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode="codebuild")
        allowed = {quota["QuotaName"]: quota["Value"] for page in pages for quota in page["Quotas"]}
    except (ClientError, BotoCoreError) as error:
        yield unknown(subject, f"Service Quotas does not answer here ({type(error).__name__})")
        return
    if CONCURRENT_BUILDS not in allowed:
        yield unknown(subject, "not listed in this region; AWS's default applies")
    elif allowed[CONCURRENT_BUILDS] < 1:
        why = "A push starts a build that stays queued, or is refused (AccountLimitExceededException)."
        fix = f'Ask for more: Service Quotas, AWS CodeBuild, "{CONCURRENT_BUILDS}".'
        yield problem(subject, f"{allowed[CONCURRENT_BUILDS]:g}", why, fix)
    else:
        yield ok(subject, f"{allowed[CONCURRENT_BUILDS]:g}")


def model_monitor() -> Iterator[Finding]:
    """Whether the account has monitoring schedules already, which says that it may have them."""
    try:
        answer = aws.client("sagemaker").list_monitoring_schedules(MaxResults=1)
    except ClientError as error:
        yield unknown("Model Monitor", f"not answered: {error.response['Error']['Code']}")
        return
    if answer["MonitoringScheduleSummaries"]:
        yield ok("Model Monitor", "the account has schedules")
    else:
        why = "AWS closed it to new customers on 2026-07-30. Monitoring then runs from EventBridge Scheduler instead."
        yield unknown("Model Monitor", "no schedule yet; only creating one tells whether the account may", why)

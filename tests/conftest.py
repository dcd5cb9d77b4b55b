"""Fixtures that tests of every kind share, by subject."""

from hypothesis import settings

settings.register_profile("here", deadline=None, derandomize=True)  # a busy machine takes its time, and seeds are fixed
settings.load_profile("here")

pytest_plugins = [
    "cloud_fixtures",
    "dashboard_support",
    "engine_support",
    "job_support",
    "lambda_support",
    "deploy_walker",
    "monitor_support",
    "endpoint_support",
    "pipeline_calls",
    "schedule_support",
    "service_stubs",
    "parallel_runs",
    "short_report",
]

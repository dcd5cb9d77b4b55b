"""Fixtures that tests of every kind share, by subject."""

import gc

from hypothesis import settings

gc.set_threshold(200_000, 30, 30)  # as the command does: a seventh of the time of tests that import much
settings.register_profile("here", deadline=None, derandomize=True)  # a busy machine takes its time, and seeds are fixed
settings.load_profile("here")

pytest_plugins = [
    "commands",
    "cloud_fixtures",
    "dashboard_support",
    "engine_support",
    "job_support",
    "lambda_support",
    "local_functions",
    "deploy_walker",
    "door_support",
    "role_support",
    "monitor_support",
    "pipeline_client",
    "endpoint_support",
    "pipeline_calls",
    "schedule_support",
    "service_stubs",
    "parallel_runs",
    "short_report",
]

"""Fixtures that tests of every kind share, by subject."""

pytest_plugins = [
    "cloud_fixtures",
    "dashboard_support",
    "engine_support",
    "job_support",
    "lambda_support",
    "monitor_support",
    "endpoint_support",
    "pipeline_calls",
    "schedule_support",
    "service_stubs",
    "parallel_runs",
    "short_report",
]

"""The process behind `scones dashboard`: everything is loaded and reading has begun before Streamlit takes visitors."""

from __future__ import annotations

import gc
import sys

from streamlit.web import cli

from project import aws
from project.errors import SconesError
from scones.desk import app  # noqa: F401  # the app's imports are most of the first visitor's wait
from scones.desk.desk import desk
from scones.desk.views.now import unseen
from scones.reports.charts.theme import painted

SERVICES = ("sagemaker", "stepfunctions", "ssm", "cloudwatch")
"""Making a client reads the service's whole model, up to half a second each."""


def prepare() -> None:
    """Load what the first page would wait for, and begin to read captured traffic."""
    painted(unseen(), "light").to_json()  # Plotly loads when it draws
    try:
        desk()
        for service in SERVICES:
            aws.client(service)
    except SconesError as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201  # pages say the same, and try again
    # Streamlit collects garbage whenever anything was drawn. It need not look through 200,000 objects that stay.
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    prepare()
    sys.exit(cli.main())

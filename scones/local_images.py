"""What stands in for AWS's container images on the local cloud, beyond what it has itself (setup.py registers it)."""

from __future__ import annotations

ANALYZER = {"uses": ["process"], "process": ["python3", "-m", "scones.local_analyzer"]}
"""For Model Monitor's prebuilt analyzer, which takes no pictures on AWS."""

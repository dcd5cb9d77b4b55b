"""Files that AWS or this project wrote once and that must not change by accident: definitions and captures."""

from __future__ import annotations

from pathlib import Path

GOLDEN = Path(__file__).with_name("golden")

"""TestState: one state by itself."""

from __future__ import annotations

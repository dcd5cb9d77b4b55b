"""What tests of private views need: a machine that allows them, or a reason for skipping."""

from __future__ import annotations

import pytest

from localcloud.isolation.offer import offered

needs_views = pytest.mark.skipif(not offered().private, reason=f"no private views here: {offered().reason}")

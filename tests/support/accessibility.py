"""What axe-core finds on a page: barriers for people who use it without a mouse, a screen, or good eyes."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe

GRAVE = ("serious", "critical")


def found_by_axe(page: Any) -> list[str]:
    """Each serious or critical finding on an open Playwright page, with the elements that it is about."""
    answer = Axe().run(page, options={"resultTypes": ["violations"]}).response
    return [
        f"{one['impact']}: {one['id']}: {one['help']}: "
        + "; ".join(str(node["html"])[:200] for node in one["nodes"][:4])
        for one in answer["violations"]
        if one["impact"] in GRAVE
    ]

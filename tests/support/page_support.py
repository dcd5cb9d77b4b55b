"""The dashboard's pages in Streamlit's own test harness. Without Streamlit, the tests that use them are skipped."""

from __future__ import annotations

from contextlib import suppress

import pytest
from cloud_fixtures import eventually

from project.errors import SconesError
from scones.desk import desk

pytest.importorskip("streamlit")
from streamlit.testing.v1 import AppTest as AppTest


def page(title: str) -> AppTest:
    """A page, drawn by what `scones dashboard` draws it with once the traffic was read."""
    with suppress(SconesError):  # without a cloud the page says why
        desk.forget_answers()
        feed = desk.desk().feed
        eventually(lambda: bool(feed.problem or (feed.looked and not feed.table.unread)))
    script = f"""
from scones.desk.app import PAGES, page
page(next(show for title, _, show in PAGES if title == {title!r}))()
"""
    return AppTest.from_string(script, default_timeout=30).run()


def words(app: AppTest) -> str:
    """Everything that a page says."""
    kinds = (
        app.title,
        app.subheader,
        app.markdown,
        app.caption,
        app.info,
        app.success,
        app.warning,
        app.error,
        app.code,
    )
    said = [str(one.value) for kind in kinds for one in kind]
    metrics = [f"{one.label} {one.value}" for one in app.metric]
    return "\n".join(said + metrics).replace("\\", "")


def healthy(app: AppTest) -> None:
    assert not app.exception, [one.value for one in app.exception]
    assert not app.error, [one.value for one in app.error]

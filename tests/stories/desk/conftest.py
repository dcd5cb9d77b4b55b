"""One deployed project, one desk and one browser for all tests of this folder, which stay in one process."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from capture_files import traffic
from cloud_fixtures import LocalCloud
from dashboard_support import Project, baseline, capture, made, monitor_run, register
from desk_browser import CHROMIUM, DESKTOP, Open, make_live_for_a_day, scones, served, settled
from endpoint_support import archive
from story_support import BY_BRIGHTNESS


@pytest.fixture(scope="package")
def project(local_cloud: LocalCloud, baseline_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A live version, twenty hours of captured traffic, and three runs of the monitor."""
    project = made(local_cloud, "desk-browser", tmp_path_factory.mktemp("desk"), "[serving]\nbake_seconds = 0\n")
    deployed = scones(project, "infra", "deploy")
    assert deployed.returncode == 0, deployed.stderr
    project.clients["sagemaker"].create_model_package_group(ModelPackageGroupName=project.name)
    project.put("models/1/model.tar.gz", archive({"code/inference.py": textwrap.dedent(BY_BRIGHTNESS).encode()}))
    baseline(project, baseline_folder)
    register(project)
    approved = scones(project, "approve", "--wait")
    assert approved.returncode == 0, approved.stderr
    make_live_for_a_day(project)
    capture(project, 400, every=timedelta(minutes=3), seed=5)
    with pytest.MonkeyPatch.context() as patch:
        for hours, shade in ((3, 1.0), (2, 0.9), (1, 0.7)):
            source = traffic(project.folder / f"traffic-{hours}", 120, seed=hours, shade=shade)
            monitor_run(project, source, baseline_folder, datetime.now(UTC) - timedelta(hours=hours), patch)
    return project


@pytest.fixture(scope="package")
def address(project: Project) -> Iterator[str]:
    """A dashboard that may change things."""
    with served(project) as found:
        yield found


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="no browser driver here: pip install -e '.[dev]'")
    if not CHROMIUM:
        pytest.skip("there is no Chromium here: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield started
        started.close()


@pytest.fixture
def opened(browser: Any, address: str) -> Iterator[Open]:
    """Open a page; whatever it asks of another server fails the test."""
    contexts, outside = [], []

    def noted(request: Any) -> None:
        if not request.url.startswith((address, "data:", "blob:")):
            outside.append(request.url)

    def open_page(name: str, scheme: str = "light", size: dict[str, int] = DESKTOP) -> Any:
        context = browser.new_context(color_scheme=scheme, viewport=size)
        contexts.append(context)
        page = context.new_page()
        page.on("request", noted)
        page.goto(address if name == "now" else f"{address}/{name}")
        settled(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert outside == []

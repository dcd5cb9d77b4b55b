"""A web page in a real browser that tries to get at the local cloud and the desk, in every way that a page has."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from commands import BIN, clean_environment
from door_support import FUNCTIONS, asked, client, new_function, new_queue, resources

from localcloud import up

playwright = pytest.importorskip("playwright.sync_api", reason="no browser driver here: pip install -e '.[dev]'")
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), "")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium here: apt-get install chromium")

EVIL = "evil.example"
ATTACK = """async ([url, functions, body, queue]) => {
    const ended = promise => promise.then(answer => `answer ${answer.type}`, error => `error ${error.name}`);
    const target = {'Content-Type': 'application/x-amz-json-1.1', 'X-Amz-Target': 'SageMaker.ListModels'};
    const read = await ended(fetch(url + '/ping'));
    const asking = await ended(fetch(url + '/a-bucket', {method: 'PUT'}));
    const named = await ended(fetch(url, {method: 'POST', headers: target, body: '{}'}));
    const blind = await ended(fetch(url + functions, {method: 'POST', mode: 'no-cors', body}));
    const socket = await new Promise(done => {
        const one = new WebSocket(url.replace('http', 'ws') + '/');
        one.onopen = () => done('open');
        one.onerror = () => done('error');
    });
    const picture = await new Promise(done => {
        const one = new Image();
        one.onload = () => done('shown');
        one.onerror = () => done('error');
        one.src = url + queue;
    });
    const framed = document.createElement('iframe');
    framed.src = url + '/framed';
    document.body.append(framed);
    await new Promise(done => { framed.onload = done; });
    const frame = document.createElement('iframe');
    frame.name = 'frame';
    document.body.append(frame);
    const form = document.createElement('form');
    Object.assign(form, {action: url + functions, method: 'POST', enctype: 'text/plain', target: 'frame'});
    const field = document.createElement('input');
    // a form's text is name=value: its equals sign goes into the name of a member that means nothing
    Object.assign(field, {name: body.replace('from-a-fetch', 'from-a-form').slice(0, -1) + ', "x', value: '": "x"}'});
    form.append(field);
    document.body.append(form);
    await new Promise(done => { frame.onload = done; form.submit(); });
    return {read, asking, named, blind, socket, picture};
}"""
KEPT_OUT = {
    "read": "error TypeError",
    "asking": "error TypeError",
    "named": "error TypeError",
    "blind": "answer opaque",
    "socket": "error",
    "picture": "error",
}
"""An opaque answer is one that the page may not look at: it was a refusal, which the test sees."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser for which EVIL leads to this machine, as its owner's name server may say at any time."""
    arguments = [f"--host-resolver-rules=MAP {EVIL} 127.0.0.1"] + (["--no-sandbox"] if os.geteuid() == 0 else [])
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield started
        started.close()


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def site(folder: Path) -> Iterator[str]:
    """The evil one's web site, with an empty page."""
    (folder / "index.html").write_text("<!doctype html><title>kittens</title><body></body>")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{EVIL}:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def desk(open_cloud: up.Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dashboard that may change things."""
    folder = tmp_path_factory.mktemp("desk")
    environment = {**clean_environment(folder), **up.environment(open_cloud)}
    command = [BIN / "scones", "dashboard", "--allow-changes", "--port", "0"]
    with (folder / "desk.log").open("wb") as log:
        child = subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=log)
        assert child.stdout
        yield child.stdout.readline().decode().strip()
        child.send_signal(signal.SIGTERM)
        child.stdout.close()
        child.wait(30)


def addresses(cloud: up.Running) -> list[str]:
    return [cloud.addresses.ministack, cloud.addresses.sagemaker, cloud.addresses.stepfunctions]


def test_a_page_of_another_site_gets_nothing_in(
    open_cloud: up.Running, desk: str, browser: Any, tmp_path: Path
) -> None:
    before = resources(open_cloud)
    for url in (*addresses(open_cloud), desk):
        with site(tmp_path) as address, browser.new_context() as context:
            page = context.new_page()
            answers: list[Any] = []
            page.on("response", lambda one, seen=answers: seen.append(one))
            page.goto(address)
            tried = [url, FUNCTIONS, new_function("from-a-fetch"), new_queue("from-a-picture")]
            assert page.evaluate(ATTACK, tried) == KEPT_OUT
            met = [(one.request.method, one.url, one.status) for one in answers if one.url.startswith(url)]
            assert met.count(("POST", url + FUNCTIONS, 403)) == 2  # the fetch's and the form's
            assert ("GET", url + new_queue("from-a-picture"), 403) in met
            assert ("GET", url + "/framed", 403) in met
            assert {status for _, _, status in met} == {403}
    assert resources(open_cloud) == before


def test_a_page_whose_name_leads_here_gets_nothing_in(open_cloud: up.Running, desk: str, browser: Any) -> None:
    before = resources(open_cloud)
    for port in [int(url.rpartition(":")[2]) for url in (*addresses(open_cloud), desk)]:
        with browser.new_context() as context:
            page = context.new_page()
            assert page.goto(f"http://{EVIL}:{port}{new_queue('from-a-link')}").status == 403
            script = "([path, body]) => fetch(path, {method: 'POST', body}).then(answer => answer.status)"
            assert page.evaluate(script, [FUNCTIONS, new_function("rebound")]) == 403
            assert page.evaluate("path => fetch(path).then(answer => answer.status)", new_queue("rebound")) == 403
    assert resources(open_cloud) == before


def test_the_desk_opens_from_a_link_and_in_no_frame(desk: str, browser: Any, tmp_path: Path) -> None:
    port = int(desk.rpartition(":")[2])
    with site(tmp_path) as address, browser.new_context() as context:
        page = context.new_page()
        page.goto(address)
        page.set_content(f'<a href="{desk}/">the desk</a>')
        page.click("a")
        page.get_by_role("heading", name="Now").wait_for()  # so its own page's WebSocket is let in
    for host, origin, status in ((port, port, 200), (port, port + 1, 403), (port + 1, port + 1, 403)):
        headers = {"Host": f"localhost:{host}", "Origin": f"http://localhost:{origin}"}
        found, answered, _ = asked(port, "GET", "/", headers)
        assert found == status
        assert answered["content-security-policy"] == "frame-ancestors 'none'"
        assert answered["x-frame-options"] == "DENY"
        assert not [name for name in answered if name.startswith("access-control-")]


def test_a_stored_page_is_shown_when_its_address_is_typed_and_gets_nothing_in(
    open_cloud: up.Running, browser: Any
) -> None:
    s3 = client(open_cloud, "s3")
    s3.create_bucket(Bucket="pages")
    s3.put_object(Bucket="pages", Key="p.html", Body=b"<title>stored</title>", ContentType="text/html")
    before = resources(open_cloud)
    with browser.new_context() as context:
        page = context.new_page()
        address = s3.generate_presigned_url("get_object", {"Bucket": "pages", "Key": "p.html"})
        assert page.goto(address).status == 200
        assert page.title() == "stored"
        script = "([path, body]) => fetch(path, {method: 'POST', body}).then(answer => answer.status)"
        assert page.evaluate(script, [FUNCTIONS, new_function("from-a-stored-page")]) == 403
        assert page.evaluate("path => fetch(path).then(answer => answer.status)", new_queue("stored")) == 403
    assert resources(open_cloud) == before


def test_what_the_page_tries_would_work_from_a_program(open_cloud: up.Running) -> None:
    """So that the tests above are about who asks, and not about what is asked."""
    port = open_cloud.addresses.ministack_port
    text = {"Content-Type": "text/plain"}
    form = new_function("by-form").removesuffix("}") + ', "x=": "x"}\r\n'
    assert asked(port, "POST", FUNCTIONS, text, new_function("by-fetch"))[0] == 201
    assert asked(port, "POST", FUNCTIONS, text, form)[0] == 201
    assert asked(port, "PUT", "/a-bucket-of-a-program")[0] == 200
    assert asked(port, "GET", new_queue("by-picture"))[0] == 200

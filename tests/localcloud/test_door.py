"""Who gets in at the local cloud's three ports: AWS clients do, and nothing that a browser sends for a page."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from commands import BIN, clean_environment, run
from door_support import FUNCTIONS, TEXT, asked, client, new_function, new_queue, resources

from localcloud import record, up

HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-amz-target"}
PAGE = {"Origin": "http://evil.example"}
FROM_PAGES = {
    "fetch": ("POST", PAGE),
    "fetch of no origin": ("POST", {"Origin": "null"}),
    "put": ("PUT", PAGE),
    "delete": ("DELETE", PAGE),
    "get": ("GET", PAGE),
    "head": ("HEAD", PAGE),
    "preflight": ("OPTIONS", {**PAGE, **PREFLIGHT}),
    "websocket": ("GET", {**PAGE, **HANDSHAKE}),
    "picture": ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}),
    "link": ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}),
    "other port": ("GET", {"Sec-Fetch-Site": "same-site"}),
    "stored page": ("GET", {"Sec-Fetch-Site": "same-origin"}),
    "typed, but no GET": ("POST", {"Sec-Fetch-Site": "none"}),
}


@pytest.fixture(params=["ministack", "sagemaker", "stepfunctions"])
def port(request: pytest.FixtureRequest, open_cloud: up.Running) -> int:
    """The port of each part."""
    number: int = getattr(open_cloud.addresses, f"{request.param}_port")
    return number


@pytest.mark.parametrize("kind", FROM_PAGES)
def test_what_a_browser_sends_for_a_page_is_refused(port: int, kind: str) -> None:
    method, headers = FROM_PAGES[kind]
    status, answered, _ = asked(port, method, "/", headers)
    assert status == 403
    assert not [name for name in answered if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "host",
    [
        "rebound.example:{port}",
        "rebound.example",
        "127.0.0.1.rebound.example:{port}",
        "localhost.rebound.example:{port}",
        "notlocalhost:{port}",
        "s3.localhost.localstack.cloud:{port}",
        "bucket.127.0.0.1:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "127.0.0.1:{port}:1",
        "user@127.0.0.1:{port}",
        "",
    ],
)
@pytest.mark.parametrize("headers", [{}, HANDSHAKE], ids=["http", "websocket"])
def test_a_name_that_is_not_this_machines_is_refused_wherever_it_leads(
    port: int, host: str, headers: dict[str, str]
) -> None:
    assert asked(port, "GET", "/ping", {**headers, "Host": host.format(port=port)})[0] == 403


def test_a_request_without_a_host_is_refused(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as old:
        old.sendall(b"GET /ping HTTP/1.0\r\n\r\n")
        assert old.recv(4096).split()[1] == b"403"


def test_it_is_refused_before_the_body_has_come(port: int) -> None:
    head = f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: null\r\nContent-Length: 1000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as page:
        page.sendall(head.encode())
        assert page.recv(4096).startswith(b"HTTP/1.1 403 ")


def test_a_function_is_created_by_a_program_and_not_by_a_page(open_cloud: up.Running) -> None:
    port = open_cloud.addresses.ministack_port
    before = resources(open_cloud)
    assert asked(port, "POST", FUNCTIONS, {**TEXT, **PAGE}, new_function("from-a-page"))[0] == 403
    rebound = {**TEXT, "Host": f"rebound.example:{port}"}
    assert asked(port, "POST", FUNCTIONS, rebound, new_function("rebound"))[0] == 403
    assert asked(port, "GET", new_queue("from-a-picture"), {"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert resources(open_cloud) == before

    assert asked(port, "POST", FUNCTIONS, TEXT, new_function("from-a-program"))[0] == 201
    assert asked(port, "GET", new_queue("from-a-program"))[0] == 200
    after = resources(open_cloud)
    assert "from-a-program" in after["functions"]
    assert "from-a-program" in after["queues"]


def test_no_answer_gives_leave_to_another_origin(open_cloud: up.Running) -> None:
    port = open_cloud.addresses.ministack_port
    s3 = client(open_cloud, "s3")
    s3.create_bucket(Bucket="shared")
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "AllowedHeaders": ["*"]}
    s3.put_bucket_cors(Bucket="shared", CORSConfiguration={"CORSRules": [rule]})
    s3.put_object(Bucket="shared", Key="x", Body=b"x")
    requests = [("GET", "/shared/x"), ("GET", "/shared/y"), ("OPTIONS", "/shared/x"), ("GET", "/_ministack/health")]
    answers = [asked(port, *request) for request in requests]
    assert [status for status, _, _ in answers] == [200, 404, 200, 200]
    assert not [name for _, headers, _ in answers for name in headers if name.startswith("access-control-")]


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_boto3_gets_in_under_both_names_of_the_machine(open_cloud: up.Running, name: str) -> None:
    s3 = client(open_cloud, "s3", endpoint_url=f"http://{name}:{open_cloud.addresses.ministack_port}")
    sagemaker = client(open_cloud, "sagemaker", endpoint_url=f"http://{name}:{open_cloud.addresses.sagemaker_port}")
    bucket = f"by-{name.replace('.', '-')}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"bytes" * 100_000)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"bytes" * 100_000
    assert sagemaker.list_models()["Models"] == []


def test_the_command_line_gets_in(open_cloud: up.Running, tmp_path: Path) -> None:
    environment = {**clean_environment(tmp_path), **up.environment(open_cloud)}
    for words in (("s3", "mb", "s3://by-command"), ("s3", "ls"), ("sagemaker", "list-models")):
        done = run(BIN / "aws", *words, environment=environment, folder=tmp_path)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("style", ["path", "virtual"])
@pytest.mark.parametrize("endpoint", ["localhost", "s3.localhost", "s3.us-east-1.localhost"])
def test_a_presigned_url_works_in_the_address_bar_and_with_the_bucket_in_its_name(
    open_cloud: up.Running, style: str, endpoint: str
) -> None:
    port = open_cloud.addresses.ministack_port
    stored = client(open_cloud, "s3")
    stored.create_bucket(Bucket="signed")
    stored.put_object(Bucket="signed", Key="a/b", Body=b"hello")
    signing = client(
        open_cloud,
        "s3",
        endpoint_url=f"http://{endpoint}:{port}",
        config=Config(signature_version="s3v4", s3={"addressing_style": style}),
    )
    url = urlsplit(signing.generate_presigned_url("get_object", {"Bucket": "signed", "Key": "a/b"}))
    assert url.netloc.startswith("signed.") == (style == "virtual")
    typed = {"Host": url.netloc, "Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    status, _, body = asked(port, "GET", f"{url.path}?{url.query}", typed)
    assert (status, body) == (200, b"hello")


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("s3", "list_buckets", "AccessDenied"),
        ("sns", "list_topics", "AccessDenied"),
        ("lambda", "list_functions", "AccessDenied"),
        ("sqs", "list_queues", "AccessDeniedException"),
        ("sagemaker", "list_models", "AccessDeniedException"),
    ],
)
def test_a_client_that_is_refused_is_told_the_right_address(
    open_cloud: up.Running, service: str, operation: str, code: str
) -> None:
    astray = client(open_cloud, service)

    def elsewhere(request: Any, **_: Any) -> None:
        request.headers["Host"] = "proxy.example"

    astray.meta.events.register("before-send", elsewhere)
    with pytest.raises(ClientError, match="to another host are refused") as refused:
        getattr(astray, operation)()
    assert refused.value.response["Error"]["Code"] == code
    assert astray.meta.endpoint_url in refused.value.response["Error"]["Message"]


def test_ministack_opens_no_other_port_whatever_is_asked_of_it(open_cloud: up.Running) -> None:
    client(open_cloud, "transfer").create_server(Protocols=["SFTP"])
    client(open_cloud, "iot").list_things()
    assert asked(open_cloud.addresses.ministack_port, "POST", FUNCTIONS, TEXT, new_function("works"))[0] == 201
    client(open_cloud, "lambda").get_waiter("function_active_v2").wait(FunctionName="works")
    assert client(open_cloud, "lambda").invoke(FunctionName="works")["Payload"].read() == b'"ran"'
    found = record.read(open_cloud.state)
    assert found
    server = psutil.Process(found.parts["ministack"].pid)
    family = [server, *server.children(recursive=True)]
    ports = {link.laddr for one in family for link in one.net_connections("inet") if link.status == "LISTEN"}
    assert ports == {("127.0.0.1", open_cloud.addresses.ministack_port)}

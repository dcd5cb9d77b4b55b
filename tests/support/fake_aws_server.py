"""A FakeAws behind a real HTTP socket.

boto3 talks to it unchanged (AWS_ENDPOINT_URL), so every request passes botocore's own validation.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from fake_aws import FakeAws, Refused


@contextmanager
def serving(fake: FakeAws) -> Iterator[str]:
    """Serve `fake` on a free port; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body in one packet: two would wait for the other side's delayed acknowledgement

        def do_POST(self) -> None:
            if self.path.startswith("/schedules/"):
                self._schedule("POST")
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path.startswith("/endpoints/"):
                status, headers, answer = fake.invoke(dict(self.headers), body)
                if status == 0:  # hang up without a word
                    self.close_connection = True
                    return
            else:
                headers = {"Content-Type": "application/x-amz-json-1.1"}
                try:
                    answer = json.dumps(fake.operate(self.headers["X-Amz-Target"], json.loads(body))).encode()
                    status = 200
                except Refused as error:
                    status, answer = error.status, json.dumps({"__type": error.code, "message": str(error)}).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def do_GET(self) -> None:
            """EventBridge Scheduler's list of schedules, or S3's of a bucket that is empty."""
            answer = b"<ListBucketResult><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>"
            kind = "application/xml"
            if self.path.startswith("/schedules"):
                listed = {"Schedules": [{"Name": name} for name in fake.clock_schedules]}
                answer, kind = json.dumps(listed).encode(), "application/json"
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def do_PUT(self) -> None:
            self._schedule("PUT")

        def do_DELETE(self) -> None:
            self._schedule("DELETE")

        def _schedule(self, method: str) -> None:
            """EventBridge Scheduler's REST API, as far as a schedule is made, changed and deleted."""
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            name = self.path.partition("?")[0].removeprefix("/schedules/")
            status, kind = fake.clock_schedule(method, name, json.loads(body or b"{}"))
            answer = json.dumps(
                {"Message": kind, "ScheduleArn": f"arn:aws:scheduler:::schedule/default/{name}"}
            ).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("x-amzn-ErrorType", kind)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

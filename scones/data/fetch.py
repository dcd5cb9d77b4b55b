"""Downloading the real CIFAR-100: resumed where it stopped, and accepted by its checksum, whichever host sent it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from project.console import say
from project.errors import DataError
from project.files import sha256_of
from project.progress import Show, megabytes, progress

HOSTS = ("https://www.cs.toronto.edu", "https://cave.cs.toronto.edu")
"""Where the archives are published; the first redirects to the second."""

RETRY = Retry(total=5, connect=2, backoff_factor=0.5, status_forcelist=(429, 500, 502, 503, 504), raise_on_status=False)
BREAKS = 20
"""How many connections in a row may break in the middle of the body; the second host is slow."""
TIMEOUT = (10.0, 60.0)
"""Seconds to connect, and to wait for the next byte."""
CHUNK = 16 * 1024
"""Bytes written at once, and the most that a break loses."""


@dataclass(frozen=True)
class Original:
    """An archive as published: its size in bytes and its SHA-256."""

    name: str
    size: int
    sha256: str


ORIGINALS = {
    "python": Original(
        "cifar-100-python.tar.gz", 169_001_437, "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"
    ),
    "binary": Original(
        "cifar-100-binary.tar.gz", 168_513_733, "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"
    ),
}


def fetch(original: Original, output: Path, hosts: Sequence[str], retry: Retry = RETRY) -> None:
    """Download `original` to `output`, which appears when it is complete and its checksum is right.

    What an interrupted download left beside `output` (`.<name>.partial`) is taken up again. Hosts are tried in turn.

    Raises:
        DataError: no host delivers it, what they deliver has another checksum, or `output` is some other file.
    """
    if output.exists():
        if sha256_of(output) != original.sha256:
            raise DataError(f"{output}: exists, and is not {original.name}.", "Move it away, or name another --output.")
        say(f"{output} is already there, and its checksum is right.")
        return
    partial = output.with_name(f".{output.name}.partial")
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=retry))
        try:
            _from_any(session, hosts, original, partial)
        except OSError as error:
            raise DataError(
                f"{partial}: {error.strerror or error}.", "Check the folder and the space on disk."
            ) from None
    found = sha256_of(partial)
    if found != original.sha256:
        partial.unlink()
        raise DataError(
            f"{original.name}: what was downloaded has SHA-256 {found}, not {original.sha256}.",
            "It is deleted; run the command again.",
        )
    partial.replace(output)


def _from_any(session: requests.Session, hosts: Sequence[str], original: Original, partial: Path) -> None:
    failures = []
    for host in hosts:
        say(f"Fetching {original.name} ({original.size / 1e6:.0f} MB) from {urlsplit(host).netloc}.")
        try:
            return _complete(session, f"{host}/~kriz/{original.name}", original, partial)
        except (requests.RequestException, _Refused) as error:
            failures.append(f"{urlsplit(host).netloc}: {_short(error)}")
            say(f"{failures[-1]}.")
    raise DataError(
        f"Downloading {original.name}: {'; '.join(failures)}.",
        "Run the command again to go on where it stopped, or use any mirror's copy with --archive.",
    )


class _Refused(Exception):  # noqa: N818 - an answer, not an error of ours
    """A host answered, but not with the archive."""


def _complete(session: requests.Session, url: str, original: Original, partial: Path) -> None:
    """Append to `partial` until it has the archive's size; a connection that breaks in the middle is made again."""
    with progress() as show:
        breaks = 0
        while (before := _size(partial)) != original.size:
            with _get(session, url, before) as response:
                _append(response, original, partial, show)
            breaks = 0 if _size(partial) > before else breaks + 1
            if breaks >= BREAKS:
                raise _Refused(f"breaks the connection, {breaks} times in a row without sending anything")


def _append(response: requests.Response, original: Original, partial: Path, show: Show) -> None:
    """Write the response's body behind what is there (or anew, when the host ignores ranges), as far as it comes."""
    start = _size(partial)
    if response.status_code == 416:  # there is more than the whole already
        partial.unlink(missing_ok=True)
        return
    if response.status_code not in (200, 206):
        raise _Refused(f"HTTP {response.status_code} {response.reason}")
    resumed = response.status_code == 206
    if resumed and not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
        raise _Refused(f"answers with range {response.headers.get('Content-Range')!r} instead of {start}-")
    offered = response.headers.get("Content-Range", "").partition("/")[2] or response.headers.get("Content-Length")
    if offered not in (None, "*", str(original.size)):
        raise _Refused(f"offers {offered} bytes instead of {original.size}")
    written = start if resumed else 0
    with partial.open("ab" if resumed else "wb") as file:
        try:
            for chunk in response.iter_content(CHUNK):
                written += len(chunk)
                if written > original.size:
                    break
                file.write(chunk)
                show(f"Fetching {original.name}", megabytes(written, original.size), written, original.size)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            return  # broken in the middle: the caller goes on from here
    if written != original.size:  # a complete body of another length is another file
        partial.unlink()
        raise _Refused(f"sends {written:,} bytes instead of {original.size:,}")


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _get(session: requests.Session, url: str, start: int) -> requests.Response:
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
    return session.get(url, headers=headers, stream=True, timeout=TIMEOUT)


def _short(error: Exception) -> str:
    match error:
        case requests.ConnectionError() | requests.Timeout():
            return "cannot be reached, or does not answer"
        case _:
            return str(error)

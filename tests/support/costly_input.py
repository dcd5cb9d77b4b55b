"""Inputs of a megabyte or less that are made to cost a lot, and what they cost: memory in MB, and seconds.

Each is read in a process of its own, so that its peak can be told: `python costly_input.py READER INPUT`.
"""

from __future__ import annotations

import gzip
import importlib
import io
import json
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

MEGABYTE = 1 << 20
MOST_MB = 300
"""What any input of a megabyte may cost, the program that reads it included."""


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, colours: int = 2, depth: int = 8, more: bytes = b"") -> bytes:
    """A PNG of zeros; `colours` is its colour type: 0 grey, 2 RGB, 3 palette, 6 RGBA."""
    row = 1 + (width * {0: 1, 2: 3, 3: 1, 6: 4}[colours] * depth + 7) // 8
    pack = zlib.compressobj(9)
    body = b"".join(pack.compress(bytes(row)) for _ in range(height)) + pack.flush()
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0))
    palette = _chunk(b"PLTE", bytes(768)) + _chunk(b"tRNS", bytes(1)) if colours == 3 else b""
    return b"\x89PNG\r\n\x1a\n" + header + palette + more + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _of_pillow(size: tuple[int, int], kind: str, mode: str = "RGB", **options: Any) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new(mode, size).save(out, kind, **options)
    return out.getvalue()


def _orientation() -> Any:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


PICTURES: dict[str, Callable[[], bytes]] = {
    "PNG 6,000,000x8": lambda: png(6_000_000, 8, depth=1, colours=0),
    "PNG 7000x7000": lambda: png(7000, 7000),
    "PNG RGBA 4900x4900": lambda: png(4900, 4900, 6),
    "PNG grey 16 bits 4900x4900": lambda: png(4900, 4900, 0, 16),
    "PNG palette 4900x4900": lambda: png(4900, 4900, 3),
    "PNG of 80,000 chunks": lambda: png(32, 32, more=_chunk(b"tEXt", b"") * 80_000),
    "PNG text of 1 GB": lambda: png(32, 32, more=_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(900 * MEGABYTE), 9))),
    "JPEG 7000x7000": lambda: _of_pillow((7000, 7000), "JPEG"),
    "JPEG progressive 7000x7000": lambda: _of_pillow((7000, 7000), "JPEG", progressive=True, subsampling=0),
    "JPEG turned 7000x7000": lambda: _of_pillow((7000, 7000), "JPEG", exif=_orientation()),
    "JPEG CMYK 4500x4500": lambda: _of_pillow((4500, 4500), "JPEG", "CMYK"),
    "WebP 4000x4000": lambda: _of_pillow((4000, 4000), "WEBP"),
}
PICKLES: dict[str, Callable[[], bytes]] = {
    "memo of 2 GB": lambda: b"]r\xff\xff\xff\x7f.",
    "string of 2 GB": lambda: b"T\xff\xff\xff\x7fa.",
    "bytes of 8 EB": lambda: b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f.",
    "frame of 8 EB": lambda: b"\x80\x04\x95" + b"\xff" * 7 + b"\x7f.",
    "key that holds itself": lambda: b"}(N" + b"2\x86" * 60 + b"Ns.",
    "type that holds itself": lambda: b"}U\x04datacnumpy\ndtype\n(" + b"](" + b"]" + b"2\x86" * 60 + b"e" + b"tRs.",
    "labels that hold themselves": lambda: b"}U\x0bfine_labels]" + b"".join(b"](h\0h\0eq\0" for _ in range(40)) + b"s.",
    "300,000 lists": lambda: b"}(" + b"]" * 900_000 + b".",
    "a number of a megabyte": lambda: b"}U\x01a\x8b" + struct.pack("<i", 1_000_000) + b"\x7f" * 1_000_000 + b"s.",
}
TEXTS: dict[str, Callable[[], bytes]] = {
    "empty lists": lambda: b"[" + b"[]," * 330_000 + b"[]]",
    "empty objects": lambda: b'{"s3_key":[' + b"{}," * 330_000 + b"{}]}",
    "keys": lambda: json.dumps({f"{n:x}": 0 for n in range(80_000)}).encode(),
    "deep": lambda: b"[" * 1_000_000,
    "long number": lambda: b'{"s3_key":' + b"9" * 1_000_000 + b"}",
    "long key": lambda: json.dumps({"s3_bucket": "scones-test", "s3_key": "/a" * 490_000}).encode(),
    "bodies": lambda: json.dumps({"Records": [{"body": "{}"}] * 60_000}).encode(),
}


def _archive(member: str, size: int) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb") as packed, tarfile.open(fileobj=packed, mode="w|") as tar:
        entry = tarfile.TarInfo(f"cifar-100-binary/{member}")
        entry.size = size
        tar.addfile(entry, io.BytesIO(bytes(size)))
    return out.getvalue()


ARCHIVES: dict[str, Callable[[], bytes]] = {
    "binary of 500 MB": lambda: _archive("train.bin", 3074 * 163_000),
    "names of 500 MB": lambda: _archive("fine_label_names.txt", 500 * MEGABYTE),
}

CAPTURES: dict[str, Callable[[], bytes]] = {
    "1 GB of blank lines": lambda: gzip.compress(b"\n" * (1000 * MEGABYTE)),
    "1 GB of lines that are none": lambda: gzip.compress(b"x\n" * (500 * MEGABYTE)),
    "a line of 1 GB": lambda: gzip.compress(b"x" * (1000 * MEGABYTE)),
}


def _on_disk(read: Callable[[Path], Any]) -> Callable[[bytes], Any]:
    def of_bytes(content: bytes) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "input.tar.gz"
            path.write_bytes(content)
            return read(path)

    return of_bytes


def _function(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


def _pickled(content: bytes) -> Any:
    name = "cifar-100-python/train"
    return _function("steps.cifar", "_pickled_split")(io.BytesIO(content), len(content), name, Path("a.tar.gz"))


def _analysed(content: bytes) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "captured.jsonl.gz"
        path.write_bytes(content)
        tally = _function("monitoring.analysis.capture", "Tally")()
        return sum(1 for _ in _function("monitoring.analysis.capture", "read")([path], tally))


def _answered(content: bytes) -> Any:
    from wrong_events import answered

    return answered(content)


READERS: dict[str, tuple[dict[str, Callable[[], bytes]], Callable[[bytes], Any]]] = {
    "SerializeImage": (
        PICTURES,
        lambda data: _function("lambdas.serialize_image.picture", "normalised")(data, (32, 32)),
    ),
    "served model": (PICTURES, lambda data: _function("steps.train.inference", "decode")(data)),
    "local image classification": (
        PICTURES,
        lambda data: _function("localcloud.programs.image_classification.images", "decode_image")(data),
    ),
    "monitor": (PICTURES, lambda data: _function("monitoring.analysis.features", "_decoded")(data)),
    "report": (PICTURES, lambda data: _function("scones.reports.thumbnails", "thumbnail")(data)),
    "CIFAR pickle": (PICKLES, _pickled),
    "CIFAR archive": (ARCHIVES, _on_disk(lambda path: _function("steps.cifar", "read")(path))),
    "captures, analysis": (CAPTURES, _analysed),
    "captures, desk": (
        CAPTURES,
        lambda data: _function("scones.desk.data.records", "parsed")(
            data, "captured.jsonl.gz", ("bicycle", "motorcycle")
        ),
    ),
    "function": (TEXTS, _answered),
    "definition": (TEXTS, lambda data: _function("localcloud.contract.strict_json", "loads")(data)),
    "local SageMaker": (TEXTS, lambda data: _function("localcloud.service.endpoint", "parsed")(data)),
}
REFUSALS = {"BadInputError", "ValueError", "DataError", "UnreadableImageError", "ServiceError"}


def measured(reader: str, name: str, seconds: float = 60) -> dict[str, Any]:
    """What the input costs its reader: `mb` at the peak, `seconds`, and what it `ended` with."""
    done = subprocess.run(
        [sys.executable, __file__, reader, name], capture_output=True, text=True, timeout=seconds, check=False
    )
    if done.returncode:
        return {"mb": 0, "seconds": 0.0, "ended": f"exit code {done.returncode}: {done.stderr[-300:]}"}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def is_wrong(cost: dict[str, Any]) -> bool:
    """Whether it costs too much memory, or ends in what is neither an answer nor a refusal."""
    return cost["mb"] > MOST_MB or cost["ended"] not in REFUSALS | {"read"}


def _peak_mb() -> int:
    """Of this process since it runs this program; getrusage would count what it was forked from (proc(5), VmHWM)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return round(int(status.partition("VmHWM:")[2].split()[0]) / 1024)


def main(reader: str, name: str) -> None:
    """Read one input in this process."""
    read = READERS[reader][1]
    content = subprocess.run(
        [sys.executable, __file__, "--make", reader, name], capture_output=True, check=True
    ).stdout  # made elsewhere: what that takes is not the reader's
    assert len(content) <= MEGABYTE, f"{name} has {len(content)} bytes"
    began, ended = time.monotonic(), "read"
    try:
        read(content)
    except Exception as error:  # told to who measures
        ended = type(error).__name__
    print(
        json.dumps(
            {
                "mb": _peak_mb(),
                "seconds": round(time.monotonic() - began, 2),
                "ended": ended,
            }
        )
    )


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    if sys.argv[1] == "--make":
        sys.stdout.buffer.write(READERS[sys.argv[2]][0][sys.argv[3]]())
    else:
        main(*sys.argv[1:])

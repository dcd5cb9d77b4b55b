"""What is uploaded for Lambda: one zip with the code of all functions, one layer with the libraries they need.

Both are deterministic: the same code and pins give the same bytes, so an upload under a content hash changes a stack
only when something changed. The layer is made of wheels for the runtime's own platform, whatever this machine is:
Pillow built for another one would be found missing only when the first picture arrives. Where functions run in this
very interpreter, as on the local cloud, it is made of what is installed, without a package index.

    python -m infra.lambda_packages build/ --layer
"""

from __future__ import annotations

import argparse
import hashlib
import io
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, PackagePath, distribution
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path
from typing import Literal

from project.errors import SconesError
from project.files import write_file

ROOT = Path(__file__).parents[1]
PYTHON_VERSION = "3.13"
THIS_PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
Architecture = Literal["x86_64", "arm64"]
REQUIREMENTS = Path(__file__).with_name("layer-requirements.txt")
# Amazon Linux 2023, under python3.12 and later, has glibc 2.34.
PLATFORMS = {
    "x86_64": ("manylinux_2_34_x86_64", "manylinux_2_28_x86_64", "manylinux2014_x86_64"),
    "arm64": ("manylinux_2_34_aarch64", "manylinux_2_28_aarch64", "manylinux2014_aarch64"),
}
LEFT_OUT = {"__pycache__", "bin", "tests"}
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest moment a zip can name


def functions_zip() -> bytes:
    """Every file of the `lambdas` package, under the names that handlers such as
    `lambdas.serialize_image.handler.handler` are found by.
    """
    return _zipped(ROOT, ROOT / "lambdas", prefix="")


def program_zip(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Job code (path, content) that `python3 <zip> <job>` runs: its run.py is the archive's `__main__.py`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files:
            archive.writestr(_entry("__main__.py" if path == "run.py" else path), content)
    return buffer.getvalue()


def layer_zip(python_version: str = PYTHON_VERSION, architecture: Architecture = "x86_64") -> bytes:
    """Pillow and Powertools with their dependencies, at the versions of layer-requirements.txt.

    They lie in the folder that Lambda searches under exactly this version of Python: another one could not load them.

    Raises:
        SconesError: pip found no wheel for that Python and platform, or no network.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "libraries"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
        command += ["--target", str(target), "--requirement", str(REQUIREMENTS), "--no-deps", "--only-binary=:all:"]
        command += ["--implementation", "cp", "--python-version", python_version]
        command += [f"--platform={platform}" for platform in PLATFORMS[architecture]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise SconesError(
                f"Building the layer for Python {python_version} on {architecture}: pip: {reason[0]}",
                "Check the network and the pins in infra/layer-requirements.txt.",
            )
        return _zipped(target, target, prefix=_site_packages(python_version))


def layer_hash(python_version: str = PYTHON_VERSION, architecture: Architecture = "x86_64") -> str:
    """What decides the layer's content, known without building it."""
    return content_hash(f"{python_version} {architecture}\n{REQUIREMENTS.read_text(encoding='utf-8')}".encode())


def installed_layer_zip() -> bytes:
    """The layer for this interpreter: the distributions of layer-requirements.txt as they are installed here.

    Nothing is compressed: it goes no further than to this machine. Python's compiled files come along, because a
    function, which cannot keep its own, would compile for a tenth of a second at each start.

    Raises:
        SconesError: one of them is not installed, or nothing says which files are its own.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file in _installed_files():
            source = Path(str(file.locate()))
            target = f"{_site_packages(THIS_PYTHON)}{file}"
            archive.writestr(_entry(target), source.read_bytes(), zipfile.ZIP_STORED)
            if source.suffix == ".py" and (compiled := _compiled(source)):
                archive.writestr(_entry(cache_from_source(target)), compiled, zipfile.ZIP_STORED)
    return buffer.getvalue()


def _compiled(source: Path) -> bytes:
    """The compiled form of a module, marked as good whatever its source's time (PEP 552); empty if there is none.

    A zip keeps no times that the usual mark, which is checked here for the last time, could be compared with.
    """
    file, found = Path(cache_from_source(str(source))), source.stat()
    content = file.read_bytes() if file.is_file() else b""
    mark = (0).to_bytes(4, "little") + int(found.st_mtime).to_bytes(4, "little") + found.st_size.to_bytes(4, "little")
    if content[:16] != MAGIC_NUMBER + mark:
        return b""
    return MAGIC_NUMBER + (1).to_bytes(4, "little") + source_hash(source.read_bytes()) + content[16:]


def installed_layer_hash() -> str:
    """What decides that layer's content, known without building it: the records of its files."""
    lines = [f"{file} {file.hash and file.hash.value} {file.size}" for file in _installed_files()]
    return content_hash("\n".join([THIS_PYTHON, *lines]).encode())


def _installed_files() -> list[PackagePath]:
    found: list[PackagePath] = []
    for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines():
        name = re.split("[=<>#; ]", line)[0]
        if not name:
            continue
        try:
            files = distribution(name).files
        except PackageNotFoundError:
            files = None
        if files is None:
            raise SconesError(
                f"Building the layer of what is installed: {name} is not installed by pip in {sys.prefix}.",
                f"Install it: {sys.executable} -m pip install {line}",
            )
        found += [file for file in files if not {"..", *LEFT_OUT} & set(file.parts)]
    return sorted(found, key=str)


def _site_packages(python_version: str) -> str:
    """The folder of a layer that Lambda searches under exactly this version of Python."""
    return f"python/lib/python{python_version}/site-packages/"


def content_hash(archive: bytes) -> str:
    """The first 16 hexadecimal digits of the SHA-256, for the archive's S3 key."""
    return hashlib.sha256(archive).hexdigest()[:16]


def main(argv: list[str] | None = None) -> int:
    """Write functions.zip, and layer.zip when asked, into a folder."""
    parser = argparse.ArgumentParser(prog="python -m infra.lambda_packages", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the archives are written")
    parser.add_argument("--layer", action="store_true", help="build the layer as well (needs the network)")
    parser.add_argument("--python-version", default=PYTHON_VERSION, help="the functions' runtime, e.g. 3.13")
    parser.add_argument("--architecture", choices=sorted(PLATFORMS), default="x86_64")
    options = parser.parse_args(argv)
    options.folder.mkdir(parents=True, exist_ok=True)
    archives = {"functions.zip": functions_zip()}
    if options.layer:
        archives["layer.zip"] = layer_zip(options.python_version, options.architecture)
    for name, archive in archives.items():
        with write_file(options.folder / name) as partial:
            partial.write_bytes(archive)
    return 0


def _zipped(root: Path, folder: Path, prefix: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in _files(folder):
            archive.writestr(_entry(prefix + file.relative_to(root).as_posix()), file.read_bytes())
    return buffer.getvalue()


def _entry(path: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(path, EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16  # readable by the function's user, whatever the umask here
    return entry


def _files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not LEFT_OUT & set(file.relative_to(folder).parts):
            yield file


if __name__ == "__main__":
    sys.exit(main())

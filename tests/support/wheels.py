"""A wheel as small as can be, for tests that install one without an index."""

from __future__ import annotations

import io
import zipfile


def wheel(name: str, version: str = "1.0") -> tuple[str, bytes]:
    """The file name and the content of a wheel with one module, whose `VERSION` is its version."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as content:
        for path, text in files.items():
            content.writestr(path, text)
    return f"{name}-{version}-py3-none-any.whl", packed.getvalue()

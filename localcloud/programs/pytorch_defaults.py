"""The PyTorch inference toolkit's own handlers, for a model whose code leaves them out.

They load a TorchScript file, and understand JSON, CSV and NumPy's .npy on both sides; images need the model's own code.
PyTorch and NumPy are imported inside the functions: a handler that does without them starts a second sooner, and in an
interpreter that has neither.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"


def model_fn(model_dir: str) -> Any:
    """The TorchScript module in `model.pt`, or in the only .pt or .pth file. Raises ValueError if there is none."""
    import torch

    candidates = sorted(path for path in Path(model_dir).iterdir() if path.suffix in (".pt", ".pth"))
    named = [path for path in candidates if path.name == "model.pt"]
    chosen = named or candidates
    if len(chosen) != 1:
        raise ValueError(f"{len(candidates)} .pt or .pth files where one must be; write a model_fn to choose")
    return torch.jit.load(str(chosen[0]), map_location="cpu").eval()


def input_fn(body: str | bytes, content_type: str) -> Any:
    """The numbers in the body as a float32 tensor."""
    import numpy as np
    import torch

    if content_type == JSON:
        numbers = np.array(json.loads(body), dtype=np.float32)
    elif content_type == CSV:
        numbers = np.genfromtxt(io.StringIO(_text(body)), delimiter=",", dtype=np.float32)
    elif content_type == NPY and isinstance(body, bytes):
        numbers = np.load(io.BytesIO(body), allow_pickle=False).astype(np.float32)
    else:
        raise ValueError(f"Content type {content_type!r} is not supported; write an input_fn, or send {JSON}")
    return torch.from_numpy(numbers)


def predict_fn(data: Any, model: Any) -> Any:
    """The model's output for one input, without gradients."""
    import torch

    with torch.inference_mode():
        return model(data)


def output_fn(prediction: Any, accept: str) -> bytes:
    """A tensor (or anything that NumPy reads) as JSON, CSV or .npy."""
    import numpy as np

    numbers = prediction.detach().cpu().numpy() if hasattr(prediction, "detach") else np.asarray(prediction)
    if accept == JSON:
        return json.dumps(numbers.tolist()).encode()
    file = io.BytesIO()
    if accept == CSV:
        np.savetxt(file, np.atleast_2d(numbers), delimiter=",", fmt="%s")
    elif accept == NPY:
        np.save(file, numbers)
    else:
        raise ValueError(f"Accept {accept!r} is not supported; write an output_fn, or ask for {JSON}")
    return file.getvalue()


def _text(body: str | bytes) -> str:
    return body if isinstance(body, str) else body.decode("utf-8")

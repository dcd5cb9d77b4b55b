"""Serving code in model.tar.gz: the bytes of a picture in, a JSON list of probabilities in class order out.

The four functions are the handlers that SageMaker's PyTorch serving container looks for (sagemaker-inference toolkit);
request and response are those of the built-in image-classification algorithm. What the caller did wrong is answered
with a 4xx: it is no fault of the model, and no alarm on the model's failures may ring for it. Everything after
decoding, temperature included, is in `model.onnx`, so this needs ONNX Runtime, Pillow and numpy, and no PyTorch.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

try:
    # The toolkit takes the status of its own errors, and answers 500 to all others (its transformer.py).
    from sagemaker_inference.errors import BaseInferenceToolkitError
except ImportError:  # training imports this module for its decoder, where there is no toolkit

    class BaseInferenceToolkitError(Exception):  # type: ignore[no-redef]
        """The toolkit's, where it is missing."""

        def __init__(self, status_code: int, message: str, phrase: str) -> None:
            self.status_code, self.message, self.phrase = status_code, message, phrase
            super().__init__(status_code, message, phrase)


CONTENT_TYPES = ("application/x-image", "image/png", "image/jpeg")
FORMATS = ("PNG", "JPEG")
MOST_BYTES = 200_000_000  # while a picture is decoded: the largest phone cameras; more is a mistake or an attack
LONGEST_SIDE = 30_000


class RequestRefusedError(BaseInferenceToolkitError):
    """The caller's mistake: an HTTP status from 400 to 499, and a sentence that says what to send instead."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(int(status), message, status.phrase)

    def __str__(self) -> str:
        return str(self.message)


CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
"""The header that SageMaker hands on to who invoked the endpoint, as CustomAttributes (InvokeEndpoint's reference)."""


@dataclass(frozen=True)
class Model:
    """What `model_fn` loads.

    An ONNX Runtime session, the class names, the side of its square input in pixels, how the likeness of pictures of
    the classes is distributed (percentiles 0 to 100), and the roughness of the roughest picture that it learned from.
    """

    session: Any
    classes: tuple[str, ...]
    image_size: int
    percentiles: NDArray[np.float64]
    roughest: float


@dataclass(frozen=True)
class Prediction:
    """Probabilities, shape (classes,), and the share of held-out pictures of the classes that are more like them."""

    probabilities: NDArray[np.float32]
    unfamiliarity: float


def model_fn(model_dir: str) -> Model:
    """Load the model in `model_dir`. One thread per request: cores serve different requests."""
    import onnxruntime  # training imports this module for its decoder, where there is no ONNX Runtime

    folder = Path(model_dir)
    description = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
    percentiles = np.array(description["likeness_percentiles"])
    classes, size, roughest = (description[name] for name in ("classes", "image_size", "roughest"))
    return Model(session, tuple(classes), size, percentiles, roughest)


def input_fn(body: bytes, content_type: str) -> Image.Image:
    """Decode a PNG or JPEG to an RGB picture of any size.

    Raises:
        RequestRefusedError: another content type (415), or bytes that are not a sound picture of acceptable size (400).
    """
    if content_type.partition(";")[0].strip().lower() not in CONTENT_TYPES:
        known = ", ".join(CONTENT_TYPES)
        message = f"Content type {content_type!r} is not supported; send one of {known}."
        raise RequestRefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message)
    try:
        return decode(bytes(body))
    except ValueError as error:
        raise RequestRefusedError(HTTPStatus.BAD_REQUEST, str(error)) from None


def predict_fn(picture: Image.Image, model: Model) -> Prediction:
    """What the model says of one picture."""
    values = pixels(picture, model.image_size)
    probabilities, likeness = model.session.run(None, {"pictures": values[np.newaxis]})
    shares = np.linspace(1, 0, len(model.percentiles))
    unfamiliarity = float(np.interp(likeness[0], model.percentiles, shares))
    # Noise sets off every filter at once, which can look like anything: it is told by what it is made of.
    return Prediction(probabilities[0], 1.0 if roughness(values) > model.roughest else unfamiliarity)


def output_fn(prediction: Prediction, accept: str, context: Any = None) -> str:
    """Serialise probabilities: a JSON list, or one JSON line with the key `prediction` for application/jsonlines.

    The body of application/json stays the built-in algorithm's: there `unfamiliarity` is in a header of the answer
    alone. A JSON line has it as a second key too, because data capture and batch transform keep bodies and no headers.
    The toolkit gives `context` to a handler with one parameter more than it needs (its transformer.py); it is
    TorchServe's.

    Raises:
        RequestRefusedError: the client accepts neither (406).
    """
    if context is not None:
        context.set_response_header(0, CUSTOM_ATTRIBUTES, f"unfamiliarity={prediction.unfamiliarity:.4f}")
    values = prediction.probabilities.tolist()
    accepted = [part.partition(";")[0].strip().lower() for part in (accept or "*/*").split(",")]
    if any(kind in ("application/json", "application/*", "*/*") for kind in accepted):
        return json.dumps(values)
    if "application/jsonlines" in accepted:
        said = {"prediction": values, "unfamiliarity": round(prediction.unfamiliarity, 4)}
        return json.dumps(said) + "\n"
    message = f"Accept {accept!r} is not supported; use application/json or application/jsonlines."
    raise RequestRefusedError(HTTPStatus.NOT_ACCEPTABLE, message)


def decode(body: bytes) -> Image.Image:
    """The RGB picture in PNG or JPEG bytes; transparency is dropped, as the built-in algorithm's decoder does.

    Raises:
        ValueError: not a PNG or JPEG, damaged, or too costly to decode (checked before memory is taken).
    """
    if not body:
        raise ValueError("The request is empty; send the bytes of a PNG or JPEG picture.")
    try:
        picture: Image.Image = Image.open(io.BytesIO(body), formats=FORMATS)
        if _bytes_to_decode(picture) > MOST_BYTES or max(picture.size) > LONGEST_SIDE:
            raise ValueError(f"{picture.width}x{picture.height} pixels are too many")
        if picture.mode == "P":
            picture = picture.convert("RGBA")  # through the palette first, whose entries may be transparent
        elif picture.mode.startswith("I"):
            return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8)).convert("RGB")  # 16-bit grey
        picture.load()
        return picture if picture.mode == "RGB" else picture.convert("RGB")  # which would copy
    except UnidentifiedImageError:
        raise ValueError(f"{len(body)} bytes are not a PNG or JPEG picture.") from None
    except Exception as error:  # decoders raise anything on damaged bytes
        raise ValueError(f"The picture cannot be decoded: {str(error) or type(error).__name__}.") from None


def _bytes_to_decode(picture: Image.Image) -> int:
    """Memory that decoding takes: Pillow keeps three channels in four bytes, and makes RGB of what is not.

    A progressive JPEG is read whole before it is decoded.
    """
    each = 4 if picture.mode == "RGB" else 8
    each += 6 if picture.info.get("progressive") else 0
    return picture.width * picture.height * each


def pixels(picture: Image.Image, side: int) -> NDArray[np.uint8]:
    """RGB values, shape (side, side, 3), of `picture` stretched to a square (smoothed when it shrinks)."""
    if picture.size != (side, side):
        picture = picture.resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(picture)


def roughness(values: NDArray[np.uint8]) -> float:
    """Mean difference, 0 to 255, between neighbouring values of RGB (height, width, 3): noise has more than a photo."""
    signed = values.astype(np.int16)
    return float(np.mean([np.abs(np.diff(signed, axis=axis)).mean() for axis in (0, 1)]))

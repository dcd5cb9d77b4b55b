"""Answers of a trained model: encoded image in, class probabilities out, as the container's endpoint gives them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime

from localcloud.errors import ArtifactError
from localcloud.programs.image_classification.checkpoint import load_newest
from localcloud.programs.image_classification.images import UnreadableImageError, decode_image, pixels, resize_to
from localcloud.programs.image_classification.network import INPUT, OUTPUT
from localcloud.programs.image_classification.onnx_network import onnx_model
from localcloud.programs.serving import Predict, RequestError

CONTENT_TYPES = ("application/x-image", "image/png", "image/jpeg")
JSON, JSON_LINES = "application/json", "application/jsonlines"


def load_predictor(model_dir: Path) -> Predict:
    """The prediction function of the newest weights in `model_dir`. Raises ArtifactError when they cannot be used."""
    model = load_newest(model_dir)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # requests run side by side; a 32x32 image is too little work to share
    options.log_severity_level = 3
    try:
        serialised = onnx_model(model.nodes, model.parameters, model.image_shape, model.num_classes)
        session = onnxruntime.InferenceSession(serialised, options, providers=["CPUExecutionProvider"])
        session.run([OUTPUT], {INPUT: np.zeros((1, *model.image_shape), np.float32)})
    except Exception as error:  # ONNX and its runtime have error types of their own, all meaning the same here
        raise ArtifactError(
            f"Loading the model from {model_dir}: weights and network description do not fit: {error}.",
            "Train the model again.",
        ) from error

    def predict(body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        if content_type not in CONTENT_TYPES:
            raise RequestError(415, f"Content type {content_type!r} is not supported; use {', '.join(CONTENT_TYPES)}.")
        answer_type = _answer_type(accept)
        try:
            image = decode_image(body)
        except UnreadableImageError as error:
            raise RequestError(400, f"Unable to read the image: {error}.") from error
        resized = pixels(resize_to(image, *model.image_shape[1:]))
        probabilities = session.run([OUTPUT], {INPUT: resized[None].astype(np.float32)})[0][0]
        return _encode([float(value) for value in probabilities], answer_type), answer_type

    return predict


def _answer_type(accept: str) -> str:
    for wanted in accept.split(","):
        kind = wanted.split(";")[0].strip().lower()
        if kind in ("", "*/*", "application/*", JSON):
            return JSON
        if kind == JSON_LINES:
            return JSON_LINES
    raise RequestError(406, f"Accept {accept!r} is not supported; use {JSON} or {JSON_LINES}.")


def _encode(probabilities: list[float], answer_type: str) -> bytes:
    if answer_type == JSON_LINES:
        return json.dumps({"prediction": probabilities}).encode() + b"\n"
    return json.dumps(probabilities).encode()

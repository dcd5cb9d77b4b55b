"""The serving code that travels in model.tar.gz: bytes of a picture in, JSON probabilities out."""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from steps.train import graph, inference
from steps.train.fold import fold
from steps.train.network import Network


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of three classes with random weights."""
    torch.manual_seed(1)
    network = Network((16, 16, 16), 3)
    network.fit_input(torch.rand(4, 3, 32, 32))
    folder = tmp_path_factory.mktemp("model")
    (folder / "model.onnx").write_bytes(graph.build([fold(network, np.ones((16, 3)))], 0.5, 32))
    description: dict[str, Any] = {
        "classes": ["a", "b", "c"],
        "image_size": 32,
        "likeness_percentiles": [0.0, 1e9, 2e9],
    }
    description["roughest"] = 255.0
    (folder / "model.json").write_text(json.dumps(description))
    return folder


def _encoded(mode: str, size: tuple[int, int] = (32, 32), file_format: str = "PNG") -> bytes:
    picture = Image.fromarray(np.random.default_rng(5).integers(0, 256, (*size[::-1], 3), dtype=np.uint8))
    buffer = io.BytesIO()
    picture.convert(mode).save(buffer, file_format)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1"])
def test_every_png_mode_is_answered(model_folder: Path, mode: str) -> None:
    model = inference.model_fn(str(model_folder))
    picture = inference.input_fn(_encoded(mode), "image/png")
    answer = json.loads(inference.output_fn(inference.predict_fn(picture, model), "application/json"))
    assert len(answer) == len(model.classes)
    assert sum(answer) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("content_type", ["application/x-image", "image/jpeg", "Image/JPEG; q=1"])
def test_jpeg_of_any_size_is_stretched_to_the_models_square(content_type: str) -> None:
    picture = inference.input_fn(_encoded("RGB", (90, 41), "JPEG"), content_type)
    assert inference.pixels(picture, 32).shape == (32, 32, 3)


def test_pixels_of_a_picture_of_the_right_size_are_untouched() -> None:
    values = np.random.default_rng(2).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    np.testing.assert_array_equal(inference.pixels(inference.decode(buffer.getvalue()), 32), values)


def test_sixteen_bit_grey_keeps_its_shades() -> None:
    values = np.linspace(0, 65535, 1024).reshape(32, 32).astype(np.uint16)
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    assert np.abs(inference.pixels(inference.decode(buffer.getvalue()), 32)[..., 0] - (values >> 8)).max() == 0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "is empty"),
        (b"not a picture", "not a PNG or JPEG"),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "not a PNG or JPEG"),
        (_encoded("RGB")[:-200], "cannot be decoded"),
        (_encoded("RGB", (64, 64), "JPEG")[:300], "cannot be decoded"),
    ],
)
def test_bytes_that_are_no_sound_picture_are_refused(body: bytes, words: str) -> None:
    with pytest.raises(inference.RequestRefusedError, match=words) as refused:
        inference.input_fn(body, "application/x-image")
    assert refused.value.status_code == 400


@pytest.mark.parametrize("side", [8_000, 60_000])
def test_picture_that_would_fill_the_memory_is_refused_from_its_header(side: int) -> None:
    bomb = bytearray(_encoded("RGB"))
    bomb[16:24] = side.to_bytes(4, "big") * 2
    bomb[29:33] = zlib.crc32(bytes(bomb[12:29])).to_bytes(4, "big")
    with pytest.raises(ValueError, match="pixels"):
        inference.decode(bytes(bomb))


def test_other_content_types_are_refused_by_name() -> None:
    words = "'text/csv' is not supported; send one of application/x-image"
    with pytest.raises(inference.RequestRefusedError, match=words) as refused:
        inference.input_fn(b"1,2", "text/csv")
    assert refused.value.status_code == 415


def _answer(*probabilities: float) -> inference.Prediction:
    return inference.Prediction(np.array(probabilities, np.float32), 0.25)


@pytest.mark.parametrize("accept", ["application/json", "*/*", "", "text/html, application/json;q=0.9"])
def test_answer_is_a_json_list(accept: str) -> None:
    assert json.loads(inference.output_fn(_answer(0.25, 0.75), accept)) == [0.25, 0.75]


@pytest.mark.parametrize(("percentiles", "unfamiliarity"), [([1e9, 2e9], 1.0), ([-2e9, -1e9], 0.0), ([-1e9, 1e9], 0.5)])
def test_unfamiliarity_is_the_share_of_held_out_pictures_that_are_more_alike(
    model_folder: Path, percentiles: list[float], unfamiliarity: float
) -> None:
    model = dataclasses.replace(inference.model_fn(str(model_folder)), percentiles=np.array(percentiles))
    found = inference.predict_fn(inference.input_fn(_encoded("RGB"), "image/png"), model)
    assert found.unfamiliarity == pytest.approx(unfamiliarity, abs=1e-6)


def test_noise_is_rougher_than_any_photograph_and_so_unfamiliar_whatever_the_network_makes_of_it(
    model_folder: Path,
) -> None:
    model = dataclasses.replace(inference.model_fn(str(model_folder)), percentiles=np.array([-2e9, -1e9]))
    noise = inference.input_fn(_encoded("RGB"), "image/png")
    assert inference.predict_fn(noise, model).unfamiliarity == 0
    assert inference.predict_fn(noise, dataclasses.replace(model, roughest=60.0)).unfamiliarity == 1


def test_roughness_is_the_mean_difference_between_neighbours() -> None:
    stripes = np.zeros((4, 6, 3), np.uint8)
    stripes[:, ::2] = 200
    assert inference.roughness(stripes) == 100  # 200 along a row, 0 along a column
    assert inference.roughness(np.full((4, 6, 3), 90, np.uint8)) == 0


def test_unfamiliarity_travels_in_the_header_that_sagemaker_hands_on() -> None:
    headers: dict[str, str] = {}

    class Context:
        def set_response_header(self, index: int, name: str, value: str) -> None:
            headers[name] = value

    assert json.loads(inference.output_fn(_answer(0.25, 0.75), "application/json", Context())) == [0.25, 0.75]
    assert headers == {"X-Amzn-SageMaker-Custom-Attributes": "unfamiliarity=0.2500"}


def test_answer_as_json_lines_has_the_built_in_algorithms_key_and_how_unfamiliar_the_picture_is() -> None:
    answer = inference.output_fn(_answer(0.25, 0.75), "application/jsonlines")
    assert answer == '{"prediction": [0.25, 0.75], "unfamiliarity": 0.25}\n'


def test_answer_of_another_type_is_refused() -> None:
    with pytest.raises(inference.RequestRefusedError, match="'image/png' is not supported") as refused:
        inference.output_fn(_answer(1.0), "image/png")
    assert refused.value.status_code == 406


def test_serving_needs_neither_pytorch_nor_this_package(model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "inference.py").write_bytes(Path(inference.__file__).read_bytes())
    script = (
        "import sys, inference; model = inference.model_fn(sys.argv[1]); "
        "picture = inference.input_fn(sys.stdin.buffer.read(), 'image/png'); "
        "print(inference.output_fn(inference.predict_fn(picture, model), '*/*')); "
        "print(sorted({'torch', 'steps', 'scones'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, str(model_folder)],
        cwd=tmp_path,
        input=_encoded("RGBA"),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    answer, loaded = done.stdout.decode().splitlines()
    assert len(json.loads(answer)) == 3
    assert loaded == "[]"

"""Answers of a served model: what goes in, what comes out, and that they are those of training."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from program_support import REPOSITORY, make_job, running_server

from localcloud.programs.image_classification.channels import LabelledImages
from localcloud.programs.image_classification.hyperparameters import read_hyperparameters
from localcloud.programs.image_classification.prediction import load_predictor
from localcloud.programs.image_classification.training import train
from localcloud.programs.serving import RequestError


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    """A model that tells plain dark images (class 0) from bright ones (class 1), 8x8."""
    levels = np.random.default_rng(0).integers(0, 100, 16) + 150 * (np.arange(16) % 2)
    images = [np.full((3, 8, 8), level, np.uint8) for level in levels]
    split = LabelledImages(images, (np.arange(16) % 2).tolist())
    settings = {"num_classes": "2", "num_training_samples": "16", "num_layers": "20", "image_shape": "3,8,8"}
    settings |= {"mini_batch_size": "8", "epochs": "12", "learning_rate": "0.05"}
    folder = tmp_path_factory.mktemp("model")
    assert train(read_hyperparameters(settings), split, split, folder) == 1.0
    return folder


@pytest.fixture(scope="module")
def predict(model_dir):
    return load_predictor(model_dir)


def picture(level, size=(8, 8), mode="RGB", kind="PNG"):
    file = io.BytesIO()
    Image.new("RGB", size, (level, level, level)).convert(mode).save(file, kind)
    return file.getvalue()


def test_answer_is_a_json_list_of_probabilities_in_class_order(predict):
    for level, label in ((50, 0), (200, 1)):
        body, content_type = predict(picture(level), "application/x-image", "application/json")
        probabilities = json.loads(body)
        assert content_type == "application/json"
        assert sum(probabilities) == pytest.approx(1, abs=1e-5)
        assert int(np.argmax(probabilities)) == label


def test_json_lines_on_request(predict):
    body, content_type = predict(picture(50), "application/x-image", "application/jsonlines")
    assert content_type == "application/jsonlines"
    assert body.endswith(b"\n")
    (line,) = body.decode().splitlines()
    assert json.loads(line) == {"prediction": json.loads(predict(picture(50), "image/png", "")[0])}


@pytest.mark.parametrize("accept", ["", "*/*", "application/json", "text/html, application/json;q=0.9"])
def test_json_is_the_answer_unless_something_else_is_asked_for(predict, accept):
    assert predict(picture(50), "image/png", accept)[1] == "application/json"


def test_picture_of_any_size_and_mode_is_classified(predict):
    plain = json.loads(predict(picture(50), "image/png", "")[0])
    assert json.loads(predict(picture(50, mode="RGBA"), "application/x-image", "")[0]) == plain
    assert json.loads(predict(picture(50, size=(100, 3)), "image/png", "")[0]) == plain
    jpeg = json.loads(predict(picture(50, size=(32, 32), kind="JPEG"), "image/jpeg", "")[0])
    assert jpeg == pytest.approx(plain, abs=0.02)


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status", "words"),
    [
        (picture(50), "text/csv", "", 415, "text/csv"),
        (picture(50), "", "", 415, "image/png"),
        (picture(50), "image/png", "text/html", 406, "text/html"),
        (b"", "image/png", "", 400, "empty"),
        (b"aGVsbG8=", "image/png", "", 400, "neither PNG nor JPEG"),
    ],
)
def test_wrong_request_gets_a_status_and_a_reason(predict, body, content_type, accept, status, words):
    with pytest.raises(RequestError, match=words) as refused:
        predict(body, content_type, accept)
    assert refused.value.status == status


def test_serving_does_not_import_pytorch(model_dir):
    program = (
        "import sys; from pathlib import Path; from localcloud.programs.image_classification import prediction;"
        f"prediction.load_predictor(Path({str(model_dir)!r})); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_train_then_serve_from_the_command_line(tmp_path):
    job = make_job(tmp_path)
    program = ("-m", "localcloud.programs.image_classification")
    assert job.run() == 0
    with running_server(*program, "serve", base=job.base) as server:
        assert server.client.get("/ping").status_code == 200
        answer = server.invoke(picture(50))
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert len(answer.json()) == 2
        assert server.invoke(b"junk").status_code == 400
        assert server.invoke(picture(50), "text/plain").status_code == 415

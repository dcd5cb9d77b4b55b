"""The PyTorch serving container's stand-in: which handlers are called, with what, and what their mistakes give."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from program_support import REPOSITORY, launch, running_server

from localcloud.errors import ArtifactError
from localcloud.programs import handlers
from localcloud.programs.pytorch_inference import DEFAULTS
from localcloud.programs.serving import RequestError
from localcloud.programs.toolkit_errors import make_importable
from steps.train import inference

load_predictor = partial(handlers.load_predictor, defaults=DEFAULTS)
MODULE = ("-m", "localcloud.programs.pytorch_inference")

# Each handler writes down what it was given.
HANDLERS = """
def model_fn(model_dir):
    return {"model_dir": model_dir}
def input_fn(body, content_type):
    return [type(body).__name__, len(body), content_type]
def predict_fn(data, model):
    return {"data": data, **model}
def output_fn(prediction, accept):
    import json
    return json.dumps({**prediction, "accept": accept})
"""


@pytest.fixture
def make_model(tmp_path, monkeypatch):
    """Write a model folder with a handler, under a module name of its own, and load it."""
    monkeypatch.setattr(sys, "path", sys.path[:])

    def make(source, name="inference"):
        model = tmp_path / "model"
        (model / "code").mkdir(parents=True)
        (model / "code" / f"{name}.py").write_text(source)
        monkeypatch.setenv("SAGEMAKER_PROGRAM", f"{name}.py")
        monkeypatch.delitem(sys.modules, name, raising=False)
        return model

    yield make
    for name in [name for name, module in sys.modules.items() if str(tmp_path) in str(getattr(module, "__file__", ""))]:
        del sys.modules[name]


def test_handlers_are_called_one_after_the_other(make_model):
    model = make_model(HANDLERS)
    body, content_type = load_predictor(model)(b"\x89PNG", "image/png", "application/json")
    assert content_type == "application/json"
    assert json.loads(body) == {
        "data": ["bytes", 4, "image/png"],
        "model_dir": str(model),
        "accept": "application/json",
    }


@pytest.mark.parametrize(("content_type", "kind"), [("application/json", "str"), ("text/csv", "str"), ("x/y", "bytes")])
def test_text_is_decoded_for_the_handler_and_nothing_else(make_model, content_type, kind):
    body, _ = load_predictor(make_model(HANDLERS))(b"[1]", content_type, "")
    assert json.loads(body)["data"][0] == kind


@pytest.mark.parametrize("accept", ["", "*/*"])
def test_json_is_the_default_answer(make_model, monkeypatch, accept):
    model = make_model(HANDLERS)
    assert load_predictor(model)(b"", "x/y", accept)[1] == "application/json"
    monkeypatch.setenv("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "text/csv")
    assert load_predictor(model)(b"", "x/y", accept)[1] == "text/csv"


def test_handlers_may_take_a_context(make_model):
    model = make_model(
        "def model_fn(model_dir, context):\n    return context.system_properties['model_dir'] == model_dir\n"
        "def transform_fn(model, body, content_type, accept, context):\n"
        "    return f'{model} {body!r} {context.model_dir}', 'text/plain'\n"
    )
    assert load_predictor(model)(b"x", "x/y", "") == (f"True b'x' {model}".encode(), "text/plain")


def test_a_handler_gives_its_own_answer_headers(make_model, tmp_path):
    """The header is that of the runtime's CustomAttributes; other requests at the same time have their own."""
    source = HANDLERS.replace("def output_fn(prediction, accept):", "def output_fn(prediction, accept, context):")
    source = source.replace(
        "    import json\n",
        "    import json\n    size = prediction['data'][1]\n    if size:\n"
        "        context.set_response_header(0, 'X-Amzn-SageMaker-Custom-Attributes', f'size={size}')\n",
    )
    make_model(source)
    with running_server(*MODULE, "serve", base=tmp_path) as server:
        assert server.invoke(b"abc").headers["X-Amzn-SageMaker-Custom-Attributes"] == "size=3"
        assert "X-Amzn-SageMaker-Custom-Attributes" not in server.invoke(b"").headers


def test_transform_excludes_the_three_that_it_replaces(make_model):
    source = HANDLERS + "def transform_fn(model, body, content_type, accept):\n    return ''\n"
    with pytest.raises(ArtifactError, match="has transform_fn and input_fn, predict_fn, output_fn"):
        load_predictor(make_model(source))


def test_missing_handlers_are_those_of_the_toolkit(make_model):
    model = make_model("def model_fn(model_dir):\n    return lambda numbers: numbers * 2\n")
    predict = load_predictor(model)
    assert predict(b"[[1, 2], [3, 4]]", "application/json", "") == (b"[[2.0, 4.0], [6.0, 8.0]]", "application/json")
    assert predict(b"1,2\n3,4\n", "text/csv", "text/csv")[0] == b"2.0,4.0\n6.0,8.0\n"
    npy, content_type = predict(b"[1]", "application/json", "application/x-npy")
    assert npy.startswith(b"\x93NUMPY")
    assert predict(npy, content_type, "application/json")[0] == b"[4.0]"


@pytest.mark.parametrize(("content_type", "accept"), [("image/png", ""), ("application/json", "image/png")])
def test_defaults_refuse_images(make_model, content_type, accept):
    model = make_model("def model_fn(model_dir):\n    return lambda numbers: numbers\n")
    with pytest.raises(RequestError, match="image/png"):
        load_predictor(model)(b"[1]", content_type, accept)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_default_model_is_the_torchscript_file(make_model):
    import torch

    model = make_model("")
    with pytest.raises(ArtifactError, match=r"0 \.pt or \.pth files where one must be"):
        load_predictor(model)
    torch.jit.trace(torch.nn.ReLU(), torch.zeros(2)).save(str(model / "model.pt"))
    (model / "other.pth").touch()
    assert load_predictor(model)(b"[-1, 1]", "application/json", "")[0] == b"[0.0, 1.0]"


def test_what_a_handler_raises_is_a_500_with_message_and_traceback(make_model):
    source = HANDLERS.replace('{"data": data, **model}', 'data["not there"]')
    with pytest.raises(RequestError) as failed:
        load_predictor(make_model(source))(b"", "x/y", "")
    assert failed.value.status == 500
    assert failed.value.message.startswith("list indices must be integers")
    assert "Traceback" in failed.value.message
    assert "predict_fn" in failed.value.message


def test_answer_must_be_text_or_bytes(make_model):
    source = "def model_fn(d):\n    pass\ndef transform_fn(model, body, content_type, accept):\n    return [1]\n"
    with pytest.raises(RequestError, match="the handler gave list"):
        load_predictor(make_model(source))(b"", "x/y", "")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("def broken(", "SyntaxError"),
        ("def model_fn(model_dir):\n    raise ValueError('no weights')", "model_fn raised ValueError: no weights"),
    ],
)
def test_code_that_cannot_be_loaded_ends_the_server_with_the_reason(make_model, tmp_path, source, words):
    make_model(source)
    with launch(*MODULE, "serve", base=tmp_path) as server:
        output, errors = server.communicate(timeout=60)
    assert server.returncode == 1
    assert "Listening" not in output
    assert errors.splitlines()[-1].startswith("Error: ")
    assert words in errors.splitlines()[-1]


def test_folder_without_a_handler_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match=r"there is no .*inference\.py.* Pack the handler"):
        load_predictor(tmp_path)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_a_torchscript_model_without_a_handler_is_served_by_the_defaults(tmp_path):
    torch = pytest.importorskip("torch")
    (tmp_path / "model").mkdir()
    line = torch.nn.Linear(2, 1, bias=False)
    torch.nn.init.ones_(line.weight)
    torch.jit.save(torch.jit.trace(line, torch.zeros(1, 2)), tmp_path / "model" / "model.pth")
    with running_server(*MODULE, "serve", base=tmp_path) as server:
        answer = server.invoke(b"[[1, 2], [3, 4]]", "application/json")
        assert answer.json() == [[3.0], [7.0]]


def test_served_over_http(make_model, tmp_path):
    make_model(HANDLERS)
    with running_server(*MODULE, "serve", base=tmp_path) as server:
        assert server.client.get("/ping").status_code == 200
        assert server.invoke(b"abc").json()["data"] == ["bytes", 3, "application/x-image"]


def test_handler_without_pytorch_is_served_without_it(make_model):
    model = make_model(HANDLERS)
    program = (
        "import sys; from pathlib import Path; from localcloud.programs.handlers import load_predictor;"
        f"from localcloud.programs.pytorch_inference import DEFAULTS;"
        f"load_predictor(Path({str(model)!r}), DEFAULTS); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_numpy_answer_of_a_handler_needs_no_pytorch(make_model):
    from localcloud.programs.pytorch_defaults import output_fn

    assert output_fn(np.array([0.25, 0.75]), "application/json") == b"[0.25, 0.75]"


@pytest.mark.parametrize("arguments", [(), ("train",)])
def test_only_serve_is_a_command(tmp_path, arguments):
    with launch(*MODULE, *arguments, base=tmp_path) as program:
        assert "usage: " in program.communicate(timeout=60)[1]
    assert program.returncode == 2


@pytest.mark.parametrize(
    ("raised", "status", "words"),
    [
        ("GenericInferenceToolkitError(415, 'send a PNG')", 415, "send a PNG\n"),
        ("GenericInferenceToolkitError(400)", 400, "Invalid Request\n"),
        ("BaseInferenceToolkitError(422, 'no wheels in it', 'Unprocessable')", 422, "no wheels in it\n"),
        ("UnsupportedFormatError('text/csv')", 500, "Content type text/csv is not supported"),
        ("ValueError('a bug')", 500, "a bug\n"),
    ],
)
def test_a_handler_chooses_its_status_with_the_toolkits_errors(make_model, raised, status, words):
    make_importable()
    code = f"""
from sagemaker_inference.errors import BaseInferenceToolkitError, GenericInferenceToolkitError, UnsupportedFormatError
def model_fn(folder):
    return None
def input_fn(body, content_type):
    raise {raised}
"""
    with pytest.raises(RequestError, match=words) as error:
        load_predictor(make_model(code))(b"x", "image/png", "application/json")
    assert error.value.status == status


def test_the_models_own_handler_answers_4xx_to_a_callers_mistake(make_model, monkeypatch):
    """The serving code that the pipeline packs, in the container's stand-in: no model is asked."""
    make_importable()
    source = Path(inference.__file__).read_text().replace("def model_fn", "def real_model_fn")
    predict = load_predictor(make_model(source + "\ndef model_fn(folder):\n    return None\n", "serving_code"))
    for body, content_type, status in ((b"not a picture", "image/png", 400), (b"1,2", "text/csv", 415)):
        with pytest.raises(RequestError) as error:
            predict(body, content_type, "application/json")
        assert error.value.status == status

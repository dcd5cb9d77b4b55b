"""The XGBoost algorithm's settings, data and model file. Whole jobs are in tests/stories/test_strangers_images.py."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from localcloud.errors import ArtifactError, CustomerError

xgboost = pytest.importorskip("xgboost", reason="the extra xgboost is not installed")
from localcloud.programs.serving import RequestError  # noqa: E402
from localcloud.programs.xgboost_algorithm import data, hyperparameters, inference, model_file  # noqa: E402

NEEDED = {"num_round": "3"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Missing required hyperparameter: num_round"),
        ({"num_round": "0"}, r"num_round: value '0' is not in range \[1, inf\]"),
        ({"num_round": "3.5"}, "num_round: value '3.5'"),
        ({**NEEDED, "depth": "3"}, "Extraneous hyperparameter found: depth"),
        ({**NEEDED, "eval_metric": "auc,f1"}, "eval_metric: 'f1' is none of"),
        ({**NEEDED, "eval_metric": "auc@0.5"}, "eval_metric: 'auc@0.5' is none of"),
        ({**NEEDED, "objective": "multi:softmax"}, "Require input for parameter 'num_class'"),
    ],
)
def test_a_wrong_hyperparameter_is_the_customers_mistake(given: dict[str, str], said: str) -> None:
    with pytest.raises(CustomerError, match=said):
        hyperparameters.parse(given)


def test_a_tuning_jobs_objective_is_the_last_metric_which_early_stopping_looks_at() -> None:
    given = {**NEEDED, "eval_metric": "auc,error@0.7", "_tuning_objective_metric": "validation:auc", "silent": "0"}
    found = hyperparameters.parse({**given, "early_stopping_rounds": "2", "eta": "0.3"})
    assert found.parameters == {"verbosity": "1", "eta": "0.3", "eval_metric": ["error@0.7", "auc"]}
    assert (found.rounds, found.early_stopping) == (3, 2)


def test_csv_may_have_gaps_weights_and_other_delimiters(tmp_path: Path) -> None:
    channel = tmp_path / "train"
    (channel / "sub").mkdir(parents=True)
    (channel / "a.csv").write_text("1,2,0.5,\n\n0,1,-1e2,7\n")
    (channel / "sub" / "b.csv").write_text("1,4,0,0")
    (channel / "_SUCCESS").touch()
    matrix = data.read_channel(channel, "text/csv; charset=utf-8", weights=True)
    assert (matrix.num_row(), matrix.num_col(), matrix.num_nonmissing()) == (3, 2, 5)
    assert matrix.get_label().tolist() == [1, 0, 1] and matrix.get_weight().tolist() == [2, 1, 4]
    np.testing.assert_array_equal(data.csv_rows(["1;2", "3;4"]), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(data.csv_rows(["17", "4"]), [[17], [4]])


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("", "csv", "No data in train channel"),
        ("label,far\n1,2", "csv", "without a header"),
        ("1,2\n1", "csv", "different numbers of columns"),
        ("1\n0", "csv", "no feature"),
        ("0:1 1:2", "libsvm", "no label in '0:1 1:2'"),
        ("1 0:x", "libsvm", "could not convert"),
        ("1 qid:3 0:1", "libsvm", "qid is not done here"),
        ("1,2", "application/x-parquet", "'application/x-parquet' is not supported here"),
    ],
)
def test_a_channel_that_cannot_be_read_says_why(tmp_path: Path, text: str, kind: str, said: str) -> None:
    channel = tmp_path / "train"
    channel.mkdir()
    (channel / "rows").write_text(text)
    with pytest.raises(CustomerError, match=said):
        data.read_channel(channel, kind)


def booster(rows: Any, labels: list[float], **parameters: Any) -> Any:
    return xgboost.train(parameters, xgboost.DMatrix(rows, label=labels), 2)


VERSIONS = {
    "sagemaker-xgboost:1.2-2": True,
    "sagemaker-xgboost:0.90-2-cpu-py3": True,
    "x/sagemaker-xgboost:1.3-1": False,
    "r:5000/x:3.0-5": False,
    "x": False,
}


@pytest.mark.parametrize(("image", "pickled"), VERSIONS.items())
def test_the_artefact_is_pickled_before_version_1_3_and_loads_either_way(
    tmp_path: Path, image: str, pickled: bool
) -> None:
    made = booster([[1.0, 2.0], [3.0, 4.0]], [0, 1])
    model_file.write_model(made, tmp_path, image)
    assert ((tmp_path / "xgboost-model").read_bytes()[:1] == b"\x80") == pickled
    rows = xgboost.DMatrix([[1.0, 2.0]])
    assert model_file.load_model(tmp_path).predict(rows) == made.predict(rows)


class Evil:
    def __reduce__(self) -> Any:
        return (Path.write_text, (Path("/nonexistent/evil"), "x"))


@pytest.mark.parametrize("content", [pickle.dumps(Evil()), pickle.dumps([1]), b"\x80", b"nonsense", b""])
def test_nothing_but_a_booster_is_built_of_an_artefact(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "xgboost-model").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"Loading the model .*xgboost-model"):
        model_file.load_model(tmp_path)


def test_a_request_is_answered_as_the_container_answers_it(tmp_path: Path) -> None:
    rows = [[float(far), 1.0] for far in range(30)]
    parameters = {"objective": "multi:softprob", "num_class": 3, "base_score": 0.5}
    model_file.write_model(booster(rows, [far // 10 for far in range(30)], **parameters), tmp_path, "x:1.7-1")
    predict = inference.load_predictor(tmp_path)
    text, kind = predict(b"1,1\n29,1\n", "text/csv", "*/*")
    assert kind == "text/csv" and text.startswith(b"[") and text.count(b"],[") == 1
    assert len(json.loads(predict(b"1,1", "", "application/json")[0])[0]) == 3
    for body, content_type, accept, status in (
        (b"", "text/csv", "", 204),
        (b"a,b", "text/csv", "", 415),
        (b"1,1", "image/png", "", 415),
        (b"1,1,1", "text/csv", "", 400),
        (b"1,1", "text/csv", "image/png", 415),
    ):
        with pytest.raises(RequestError) as refusal:
            predict(body, content_type, accept)
        assert refusal.value.status == status

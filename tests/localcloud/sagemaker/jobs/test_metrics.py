"""Metrics read from a training job's log."""

import pytest

from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.jobs.metrics import compiled, final, printed

PATTERNS = compiled([("train", r"Train-accuracy=(\S+)"), ("validation", r"Validation-accuracy=(\S+)")])


def test_the_last_value_counts_not_the_best() -> None:
    lines = ["Epoch[0] Train-accuracy=0.9", "Epoch[0] Validation-accuracy=0.8", "Epoch[1] Train-accuracy=0.7"]
    assert final(printed(PATTERNS, lines), 5.0) == [
        {"MetricName": "train", "Value": 0.7, "Timestamp": 5.0},
        {"MetricName": "validation", "Value": 0.8, "Timestamp": 5.0},
    ]


@pytest.mark.parametrize("last", ["nan", "inf", "much"])
def test_a_metric_that_ended_as_no_number_has_no_value(last: str) -> None:
    assert final(printed(PATTERNS, ["Train-accuracy=0.9", f"Train-accuracy={last}"]), 5.0) == []


@pytest.mark.parametrize("regex", ["accuracy=(", "accuracy=[0-9.]+"])
def test_an_expression_that_can_give_no_value_is_refused(regex: str) -> None:
    with pytest.raises(ServiceError, match="'accuracy'"):
        compiled([("accuracy", regex)])

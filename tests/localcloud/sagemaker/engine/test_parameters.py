from __future__ import annotations

import pytest

from localcloud.sagemaker.engine.parameters import Parameter, ParameterError, values

DECLARED = {
    parameter.name: parameter
    for parameter in (
        Parameter("Uri", "String", None, ()),
        Parameter("Epochs", "Integer", 30, ()),
        Parameter("Threshold", "Float", 0.75, ()),
        Parameter("Fast", "Boolean", False, ()),
        Parameter("Approval", "String", "Pending", ("Pending", "Approved")),
    )
}


def test_strings_become_values_of_the_declared_type() -> None:
    given = {"Uri": "s3://b/k", "Epochs": "3", "Threshold": "1", "Fast": "True", "Approval": "Approved"}
    found = values(DECLARED, given)
    assert found == {"Uri": "s3://b/k", "Epochs": 3, "Threshold": 1.0, "Fast": True, "Approval": "Approved"}
    assert isinstance(found["Threshold"], float)


def test_what_is_not_given_has_its_default() -> None:
    assert values(DECLARED, {"Uri": "u"})["Epochs"] == 30


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Epochs", "3.0"),
        ("Epochs", "three"),
        ("Epochs", ""),
        ("Threshold", "nan"),
        ("Threshold", "inf"),
        ("Threshold", "1e999"),
        ("Threshold", "0,5"),
        ("Threshold", "1_0"),
        ("Fast", "yes"),
        ("Fast", "1"),
        ("Uri", ""),
        ("Approval", "approved"),
    ],
)
def test_what_does_not_fit_the_type_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(ParameterError, match=rf"\[{name}\].*{text!r}"):
        values(DECLARED, {"Uri": "u", name: text})


def test_unknown_and_missing_parameters_are_named() -> None:
    with pytest.raises(ParameterError, match=r"Unknown parameters: \[Epoch\].*Epochs"):
        values(DECLARED, {"Uri": "u", "Epoch": "3"})
    with pytest.raises(ParameterError, match=r"without a default: \[Uri\]"):
        values(DECLARED, {})

"""A pipeline that is none of ours: two conditions, parallel steps, property files, a callback, hostile text."""

from __future__ import annotations

import json
from typing import Any

from engine_support import at_least, condition, fail, metric, output_of, processing, reporting

MARKUP = "<img src=x onerror=alert(1)>"
PARAMETERS = [
    {"Name": "Rows", "Type": "Integer", "DefaultValue": 50},
    {"Name": "Note", "Type": "String", "DefaultValue": "none"},
    {"Name": "Epochs", "Type": "Integer", "DefaultValue": 100000},
]
"""The last is called as one of ours, and has other bounds."""
MEASURE = (
    "import json,sys; print('measuring', *sys.argv[1:], flush=True); "
    "json.dump({'score': {'auc': 0.91}, 'rows': int(sys.argv[1]), 'ok': True}, "
    "open('/opt/ml/processing/output/report/report.json', 'w'))"
)


def running(name: str, code: str, *arguments: Any, **members: Any) -> dict[str, Any]:
    """A processing step that runs Python code."""
    step = processing(name, *arguments, **members)
    step["Arguments"]["AppSpecification"]["ContainerEntrypoint"] = ["python3", "-c", code]
    return step


def foreign(queue: str) -> str:
    """The definition: measure, ask a queue if it was good, then much side by side; a step that always fails."""
    measure = reporting("Measure", DisplayName=f"Measure {MARKUP}", Description=MARKUP)
    measure["Arguments"]["AppSpecification"] |= {
        "ContainerEntrypoint": ["python3", "-c", MEASURE],
        "ContainerArguments": [{"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Rows"}]}}, MARKUP],
    }
    measure["CacheConfig"] = {"Enabled": True, "ExpireAfter": "P1D"}
    ask = {
        "Name": "AskSomebody",
        "Type": "Callback",
        "SqsQueueUrl": queue,
        "Arguments": {"score": metric("Measure", "score.auc"), "rows": {"Get": "Parameters.Rows"}},
        "OutputParameters": [{"OutputName": "answer", "OutputType": "String"}],
    }
    side_by_side = [
        running(
            f"region-{n}-with-a-name-that-is-very-long-indeed-0123456789",
            f"print('region {n}')",
            DependsOn=["AskSomebody"],
        )
        for n in range(7)
    ]
    good = condition(
        "IsGood",
        at_least(metric("Measure", "score.auc"), 0.5),
        yes=[ask, *side_by_side],
        no=[fail("TooBad", "too bad")],
    )
    large = condition(
        "IsLarge",
        at_least({"Get": "Parameters.Rows"}, 1000),
        yes=[fail("TooLarge", f"too large {MARKUP}")],
        no=[running("Sample", "pass")],
        DependsOn=["IsGood"],
    )
    last = running("Tidy", "import sys; sys.exit('nothing to tidy')", output_of("Measure", "report"))
    return json.dumps({"Version": "2020-12-01", "Parameters": PARAMETERS, "Steps": [measure, good, large, last]})

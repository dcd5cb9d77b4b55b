"""A pipeline that is none of ours: two conditions, parallel steps, property files, a callback, hostile text."""

from __future__ import annotations

import json
from typing import Any

from cloud_fixtures import eventually
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
        for n in range(5)
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


class ForeignPipeline:
    """Somebody else's pipeline in a local cloud, and what answers its queue."""

    def __init__(self, sagemaker: Any, sqs: Any, name: str) -> None:
        self.sagemaker, self.name = sagemaker, name
        self._sqs, self._queue = sqs, str(sqs.create_queue(QueueName=name)["QueueUrl"])
        sagemaker.create_pipeline(
            PipelineName=name, PipelineDefinition=foreign(self._queue), RoleArn="arn:aws:iam::000000000000:role/any"
        )

    def start(self, display_name: str, **values: str) -> str:
        """Start an execution; its ARN."""
        given = [{"Name": name, "Value": value} for name, value in values.items()]
        return str(
            self.sagemaker.start_pipeline_execution(
                PipelineName=self.name, PipelineExecutionDisplayName=display_name, PipelineParameters=given
            )["PipelineExecutionArn"]
        )

    def wait_for_question(self) -> str:
        """Wait until an execution asks the queue; the token of its answer. A stop is also told there."""
        tokens: list[str] = []

        def has_asked() -> bool:
            for message in self._sqs.receive_message(QueueUrl=self._queue).get("Messages", []):
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
                body = json.loads(message["Body"])
                tokens.extend([str(body["token"])] if body["status"] == "Executing" else [])
            return bool(tokens)

        eventually(has_asked)
        return tokens[0]

    def answer(self, token: str, answer: str) -> None:
        """Let the execution that asked go on."""
        self.sagemaker.send_pipeline_execution_step_success(
            CallbackToken=token, OutputParameters=[{"Name": "answer", "Value": answer}]
        )

    def status(self, arn: str) -> str:
        return str(self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"])

    def wait(self, arn: str) -> None:
        """Wait until the execution has ended."""
        eventually(lambda: self.status(arn) not in ("Executing", "Stopping"))

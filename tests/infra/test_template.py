"""The CloudFormation template against cfn-lint, the project's names and what it promises about safety."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import lambda_packages, package, template
from infra.changesets import LONGEST_BODY
from project.names import Names
from project.settings import Settings
from stepfunctions import machines

RESOURCES: dict[str, Any] = template.load()["Resources"]
PSEUDO = {"AWS::AccountId": "000000000000", "AWS::Region": "us-east-1", "AWS::Partition": "aws"}


def resolved(value: Any, project: str) -> Any:
    """`value` with Sub, Ref and GetAtt put in, as CloudFormation would for `project`."""
    bucket = f"{project}-000000000000-us-east-1"
    known = {**PSEUDO, "ProjectName": project, "Bucket": bucket, "Bucket.Arn": f"arn:aws:s3:::{bucket}"}
    if isinstance(value, list):
        return [resolved(one, project) for one in value]
    if not isinstance(value, dict):
        return value
    if "Fn::Sub" in value:
        text = value["Fn::Sub"]
        for name, replacement in known.items():
            text = text.replace(f"${{{name}}}", replacement)
        return text
    if "Ref" in value:
        return known[value["Ref"]]
    if "Fn::GetAtt" in value:
        return known[".".join(value["Fn::GetAtt"])]
    return {key: resolved(one, project) for key, one in value.items()}


def statements(project: str = "scones-unlimited") -> list[dict[str, Any]]:
    policies = resolved(RESOURCES["PipelineRole"]["Properties"]["Policies"], project)
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def test_cfn_lint_finds_nothing(tmp_path: Path) -> None:
    whole = tmp_path / "template.json"
    whole.write_text(template.text())
    lint = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--include-checks", "I", "--", whole],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (lint.returncode, lint.stdout) == (0, ""), lint.stdout


@pytest.mark.parametrize("project", ["abc", "scones-unlimited", "a" * 25])
def test_resources_have_the_names_that_the_code_derives(project: str) -> None:
    names = Names(Settings(project=project))
    assert resolved(RESOURCES["Bucket"]["Properties"]["BucketName"], project) == names.bucket
    assert resolved(RESOURCES["PipelineRole"]["Properties"]["RoleName"], project) == names.pipeline_role.split("/")[1]
    assert len(names.bucket) <= 63


def test_the_bucket_is_private_encrypted_versioned_and_outlives_the_stack() -> None:
    bucket = RESOURCES["Bucket"]
    properties = bucket["Properties"]
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert list(properties["PublicAccessBlockConfiguration"].values()) == [True] * 4
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    [rule] = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    [refusal] = RESOURCES["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    elsewhere = {"NotIpAddress": {"aws:SourceIp": "127.0.0.1/32"}}  # which is everywhere, on AWS
    assert (refusal["Effect"], refusal["Condition"]) == (
        "Deny",
        {"Bool": {"aws:SecureTransport": "false"}, **elsewhere},
    )


def test_no_rule_ever_expires_a_current_object() -> None:
    for rule in RESOURCES["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]:
        assert not {"ExpirationInDays", "ExpirationDate"} & rule.keys()


def test_the_role_allows_no_wildcard_action_and_no_resource_but_its_own() -> None:
    for statement in statements():
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not any("*" in action for action in actions)
        if statement["Resource"] == "*":
            assert actions == ["ecr:GetAuthorizationToken"] or "Condition" in statement


def test_the_role_passes_only_itself_and_only_to_sagemaker() -> None:
    [passing] = [statement for statement in statements() if "iam:PassRole" in statement["Action"]]
    assert passing["Resource"] == Names(Settings()).pipeline_role
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}


def test_only_sagemaker_on_this_accounts_behalf_may_assume_the_role() -> None:
    trust = resolved(RESOURCES["PipelineRole"]["Properties"]["AssumeRolePolicyDocument"], "x")
    [statement] = trust["Statement"]
    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "000000000000"}}


def test_inline_policies_stay_within_iams_limit() -> None:
    """IAM: at most 10,240 characters of inline policies for a role, white space aside."""
    documents = [json.dumps(s, separators=(",", ":")) for s in statements("a" * 25)]
    assert sum(map(len, documents)) < 10_000


def test_every_resource_that_can_be_tagged_names_the_project() -> None:
    for logical in ("Bucket", "PipelineRole"):
        assert {"Key": "Project", "Value": {"Ref": "ProjectName"}} in RESOURCES[logical]["Properties"]["Tags"]


@pytest.mark.parametrize("adopting", [False, True])
def test_a_stack_begins_with_nothing_but_the_bucket(adopting: bool) -> None:
    alone = json.loads(template.bucket_alone(adopting))
    assert list(alone["Resources"]) == ["Bucket"]
    assert list(alone["Parameters"]) == ["ProjectName"]
    assert alone["Resources"]["Bucket"]["DeletionPolicy"] == "Retain"
    assert "Outputs" not in alone
    properties = alone["Resources"]["Bucket"]["Properties"]
    assert set(properties) == ({"BucketName"} if adopting else set(RESOURCES["Bucket"]["Properties"]))


def test_every_parameter_without_a_default_gets_a_value() -> None:
    keys = {artifact.parameter: artifact.key for artifact in package.artifacts(layer="lambda")}
    given = template.parameters(Names(Settings()), keys)
    declared = template.load()["Parameters"]
    assert set(given) <= set(declared)
    assert {name for name, parameter in declared.items() if "Default" not in parameter} <= set(given)


def test_the_template_is_within_what_cloudformation_takes() -> None:
    assert len(template.text().encode()) <= 1_000_000
    assert len(template.load()["Resources"]) <= 500
    assert len(template.bucket_alone(adopting=False).encode()) <= LONGEST_BODY, "there is no bucket yet to put it in"


def test_no_part_of_the_template_replaces_what_another_says() -> None:
    parts = [yaml.compose(path.read_text(encoding="utf-8")) for path in template.PARTS]
    names = [
        (section.value, name.value)
        for part in parts
        for section, content in part.value
        if section.value in template.SECTIONS
        for name, _ in content.value
    ]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("project", ["abc", "a" * 25])
def test_names_of_what_serves_are_those_that_the_code_derives(project: str) -> None:
    names = Names(Settings(project=project))
    for logical, machine in {f"{m.title()}Workflow": m for m in machines.names()}.items():
        name = resolved(RESOURCES[logical]["Properties"]["StateMachineName"], project)
        assert names.state_machine(machine).endswith(f":stateMachine:{name}")
    parameters = {
        "Threshold": names.threshold_parameter,
        "Unfamiliarity": names.unfamiliarity_parameter,
        "LiveModel": names.live_parameter,
        "MonitorAttached": names.monitor_parameter,
    }
    assert resolved(RESOURCES["Monitor"]["Properties"]["FunctionName"], project) == names.monitor
    for logical, path in parameters.items():
        assert resolved(RESOURCES[logical]["Properties"]["Name"], project) == path
    assert names.alerts_topic.endswith(resolved(RESOURCES["Alerts"]["Properties"]["TopicName"], project))


def test_every_function_has_its_handler_log_group_role_and_what_it_reads_from_its_environment() -> None:
    found = {logical: one["Properties"] for logical, one in RESOURCES.items() if one["Type"] == "AWS::Lambda::Function"}
    folders = {file.parent.name for file in (lambda_packages.ROOT / "lambdas").rglob("handler.py")}
    assert {function["Handler"].split(".")[1] for function in found.values()} == folders
    for logical, function in found.items():
        assert function["Role"] == {"Fn::GetAtt": [f"{logical}Role", "Arn"]}
        assert function["LoggingConfig"] == {"LogGroup": {"Ref": f"{logical}Logs"}}
        assert RESOURCES[f"{logical}Logs"]["Properties"]["RetentionInDays"]
    roles = [str(function["Role"]) for function in found.values()]
    assert len(set(roles)) == len(roles)


@pytest.mark.parametrize("name", machines.names())
def test_every_placeholder_of_a_state_machine_is_substituted(name: str) -> None:
    substitutions = RESOURCES[f"{name.title()}Workflow"]["Properties"]["DefinitionSubstitutions"]
    assert set(substitutions) == set(machines.PLACEHOLDER.findall(machines.text(name)))


@pytest.mark.parametrize("name", machines.names())
def test_a_state_machine_may_call_exactly_its_own_functions(name: str) -> None:
    policies = RESOURCES[f"{name.title()}WorkflowRole"]["Properties"]["Policies"]
    statements_ = [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]
    [calls] = [one for one in statements_ if one["Action"] == "lambda:InvokeFunction"]
    allowed = calls["Resource"] if isinstance(calls["Resource"], list) else [calls["Resource"]]
    substitutions = RESOURCES[f"{name.title()}Workflow"]["Properties"]["DefinitionSubstitutions"]
    assert allowed == [value for key, value in substitutions.items() if key.endswith("FunctionArn")]


def test_a_task_gives_up_after_its_function() -> None:
    limits = {
        logical: one["Properties"]["Timeout"] for logical, one in RESOURCES.items() if "Timeout" in one["Properties"]
    }
    for name in machines.names():
        for _, scope in machines.scopes(machines.load(name)):
            for state in scope["States"].values():
                function = str(state.get("Parameters", {}).get("FunctionName", ""))
                if function:
                    logical = function.removeprefix("${").removesuffix("FunctionArn}")
                    assert limits[logical] < state["TimeoutSeconds"], function


def test_events_that_cannot_be_delivered_are_kept() -> None:
    for logical in (logical for logical, one in RESOURCES.items() if one["Type"] == "AWS::Events::Rule"):
        for target in RESOURCES[logical]["Properties"]["Targets"]:
            assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["UndeliveredEvents", "Arn"]}}


def test_a_function_that_a_rule_or_a_schedule_calls_is_tried_again_and_its_event_kept() -> None:
    """Lambda calls it without a reader of its answer: only what it raises is heard of."""
    targets = [
        one["Arn"] for r in RESOURCES.values() if r["Type"] == "AWS::Events::Rule" for one in r["Properties"]["Targets"]
    ]
    called = {one["Fn::GetAtt"][0] for one in targets if "Fn::GetAtt" in one}
    assert called == {"Alert", "Monitor", "Retrain", "Staging"}
    for logical in called:
        kept = RESOURCES[f"{logical}Retries"]["Properties"]
        assert kept["FunctionName"] == {"Ref": logical}
        assert kept["MaximumRetryAttempts"] > 0
        assert kept["DestinationConfig"] == {"OnFailure": {"Destination": {"Fn::GetAtt": ["UndeliveredEvents", "Arn"]}}}


def test_people_hear_of_the_queue_even_if_the_function_that_tells_them_is_broken() -> None:
    alarm = RESOURCES["Undelivered"]["Properties"]
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["UndeliveredEvents", "QueueName"]}}]
    assert alarm["AlarmActions"] == [{"Ref": "Alerts"}]


STATE: dict[str, Any] = {
    "LiveModel": {
        "Name": {"Fn::Sub": "/${ProjectName}/inference/live-model"},
        "Description": "Which model version answers, as JSON; empty before the first deployment.",
        "Type": "String",
        "Value": "{}",
    },
    "MonitorAttached": {
        "Name": {"Fn::Sub": "/${ProjectName}/monitoring/attached"},
        "Description": "Which version is watched, by which scheduler and why, as JSON; empty for none.",
        "Type": "String",
        "Value": "{}",
    },
    "Threshold": {
        "Name": {"Fn::Sub": "/${ProjectName}/inference/threshold"},
        "Description": "A delivery whose best probability is below this is not routed. Read at run time.",
        "Type": "String",
        "Value": {"Ref": "ConfidenceThreshold"},
        "AllowedPattern": "^(0(\\.[0-9]+)?|1(\\.0+)?)$",
    },
}


@pytest.mark.parametrize("logical", STATE)
def test_a_parameter_that_holds_state_stays_as_it_was_deployed(logical: str) -> None:
    """CloudFormation writes the template's Value again when any property of the resource changes, or the resource goes.

    So an edit of a description would leave no version live or watched, or put the first threshold back. What must
    change belongs into another resource.
    """
    assert RESOURCES[logical] == {"Type": "AWS::SSM::Parameter", "Properties": STATE[logical]}

"""A SageMaker in memory, for tests that need it to be slow, busy, wrong or gone; fake_aws_server.py serves it.

It knows the operations that the functions use, plus those of SSM, EventBridge and CloudWatch; anything else is refused.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable
from typing import Any

from botocore import xform_name

GROUP = "scones-unlimited"
ENDPOINT = "scones-unlimited"
PACKAGES = f"arn:aws:sagemaker:us-east-1:000000000000:model-package/{GROUP}"
Params = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]


class Refused(Exception):  # noqa: N818 - it is AWS's answer, not an error of the test
    def __init__(self, message: str, code: str = "ValidationException", status: int = 400) -> None:
        super().__init__(message)
        self.code, self.status = code, status


def arn(version: int) -> str:
    return f"{PACKAGES}/{version}"


def probabilities(*values: float, unfamiliarity: float | str | None = None) -> Answer:
    said = {"prediction": values} | ({} if unfamiliarity is None else {"unfamiliarity": unfamiliarity})
    return 200, {"Content-Type": "application/jsonlines"}, json.dumps(said).encode()


def refusal(code: str, status: int, message: str = "refused", **more: Any) -> Answer:
    return status, {"x-amzn-ErrorType": code}, json.dumps({"Message": message, **more}).encode()


class FakeAws:
    """State, and what will happen next: `answers` for invocations, `endings` for endpoint changes."""

    def __init__(self) -> None:
        self.packages: dict[str, Params] = {}
        self.models: dict[str, Params] = {}
        self.configs: dict[str, Params] = {}
        self.endpoints: dict[str, Params] = {}
        self.parameters: dict[str, str] = {}
        self.definitions: dict[str, Params] = {}
        self.schedules: dict[str, Params] = {}
        self.clock_schedules: dict[str, Params] = {}
        self.scalable: dict[str, Params] = {}
        self.alarms: dict[str, Params] = {}
        self.jobs: list[str] = []
        self.enabled_rules: list[str] = []
        self.calls: list[str] = []
        self.invocations: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[Answer] = []
        self.endings: list[str] = []
        self.hooks: dict[str, Callable[[], None]] = {}
        self.lock = threading.RLock()

    def state(self) -> Params:
        """A copy of all that it knows."""
        return copy.deepcopy({name: value for name, value in vars(self).items() if name not in {"hooks", "lock"}})

    def restore(self, state: Params) -> None:
        """Know again what it knew then."""
        vars(self).update(copy.deepcopy(state))

    def register(self, version: int, approval: str = "Approved", **metadata: str) -> str:
        package = {"ModelPackageArn": arn(version), "ModelPackageGroupName": GROUP, "ModelPackageVersion": version}
        package |= {"ModelPackageStatus": "Completed", "ModelApprovalStatus": approval, "CreationTime": version}
        files = {
            name: {"ContentType": "json", "S3Uri": f"s3://b/{version}/{name}"} for name in ("Statistics", "Constraints")
        }
        package["DriftCheckBaselines"] = {"ModelDataQuality": files, "ModelQuality": files}
        self.packages[arn(version)] = package | {"CustomerMetadataProperties": metadata}
        return arn(version)

    def approve(self, version: int, approval: str = "Approved") -> None:
        self.packages[arn(version)]["ModelApprovalStatus"] = approval

    @property
    def live(self) -> Params:
        return self.endpoints[ENDPOINT]

    def operate(self, target: str, params: Params) -> Params:
        with self.lock:
            name = target.rpartition(".")[2]
            self.calls.append(name)
            if hook := self.hooks.pop(name, None):
                hook()
            operation: Callable[[Params], Params] | None = getattr(self, f"op_{xform_name(name)}", None)
            if operation is None:
                raise Refused(f"{target} is not part of this fake", "UnknownOperationException")
            return operation(params)

    def clock_schedule(self, method: str, name: str, body: Params) -> tuple[int, str]:
        """Status and name of the error of a call to EventBridge Scheduler."""
        with self.lock:
            self.calls.append(f"{method} schedule")
            if method == "DELETE":
                return (200, "") if self.clock_schedules.pop(name, None) else (404, "ResourceNotFoundException")
            if method == "POST" and name in self.clock_schedules:
                return 409, "ConflictException"
            self.clock_schedules[name] = body
            return 200, ""

    def invoke(self, headers: dict[str, str], body: bytes) -> Answer:
        with self.lock:
            self.invocations.append((headers, body))
            return self.answers.pop(0) if self.answers else probabilities(0.96, 0.04)

    def op_describe_model_package(self, params: Params) -> Params:
        return self._get(self.packages, params["ModelPackageName"], "ModelPackage")

    def op_list_model_packages(self, params: Params) -> Params:
        wanted = params["ModelApprovalStatus"]
        return {"ModelPackageSummaryList": [p for p in self.packages.values() if p["ModelApprovalStatus"] == wanted]}

    def op_create_model(self, params: Params) -> Params:
        self._get(self.packages, params["PrimaryContainer"]["ModelPackageName"], "ModelPackage")
        self._add(self.models, params["ModelName"], params | {"CreationTime": 0, "ModelArn": self._arn("model")})
        return {"ModelArn": self._arn("model")}

    def op_describe_model(self, params: Params) -> Params:
        return self._get(self.models, params["ModelName"], "model")

    def op_delete_model(self, params: Params) -> Params:
        self._get(self.models, params["ModelName"], "model")
        del self.models[params["ModelName"]]
        return {}

    def op_create_endpoint_config(self, params: Params) -> Params:
        self._get(self.models, params["ProductionVariants"][0]["ModelName"], "model")
        made = params | {"CreationTime": 0, "EndpointConfigArn": self._arn("endpoint-config")}
        self._add(self.configs, params["EndpointConfigName"], made)
        return {"EndpointConfigArn": self._arn("endpoint-config")}

    def op_describe_endpoint_config(self, params: Params) -> Params:
        return self._get(self.configs, params["EndpointConfigName"], "endpoint configuration")

    def op_delete_endpoint_config(self, params: Params) -> Params:
        self._get(self.configs, params["EndpointConfigName"], "endpoint configuration")
        del self.configs[params["EndpointConfigName"]]
        return {}

    def op_create_endpoint(self, params: Params) -> Params:
        self._get(self.configs, params["EndpointConfigName"], "endpoint configuration")
        made = {"EndpointArn": self._arn("endpoint"), "EndpointStatus": "Creating", "CreationTime": 0}
        self._add(self.endpoints, params["EndpointName"], params | made | {"LastModifiedTime": 0, "left": 2})
        return {"EndpointArn": self._arn("endpoint")}

    def op_update_endpoint(self, params: Params) -> Params:
        endpoint = self._get(self.endpoints, params["EndpointName"], "endpoint")
        self._get(self.configs, params["EndpointConfigName"], "endpoint configuration")
        if endpoint["EndpointStatus"] not in {"InService", "OutOfService"}:
            raise Refused("Cannot update in-progress endpoint")
        if endpoint["EndpointConfigName"] == params["EndpointConfigName"]:
            raise Refused("The endpoint uses this configuration already")
        types = {
            self.configs[one["EndpointConfigName"]]["ProductionVariants"][0]["InstanceType"]
            for one in (endpoint, params)
        }
        if len(types) > 1 and self.scalable:
            raise Refused("The variant is registered with Application Auto Scaling")
        endpoint |= {"EndpointStatus": "Updating", "pending": params, "left": 2}
        self.endpoints[params["EndpointName"]] = endpoint
        return {"EndpointArn": endpoint["EndpointArn"]}

    def op_describe_endpoint(self, params: Params) -> Params:
        name = params["EndpointName"]
        endpoint = self._get(self.endpoints, name, "endpoint")
        if endpoint.get("left"):
            endpoint["left"] -= 1
            if not endpoint["left"] and endpoint["EndpointStatus"] == "Deleting":
                del self.endpoints[name]
                return self._get(self.endpoints, name, "endpoint")
            if not endpoint["left"]:
                endpoint |= self._ended(endpoint, self.endings.pop(0) if self.endings else "ok")
            self.endpoints[name] = endpoint
        shown = {key: value for key, value in endpoint.items() if key not in {"left", "pending", "DeploymentConfig"}}
        if "pending" in endpoint:
            shown["PendingDeploymentSummary"] = {"EndpointConfigName": endpoint["pending"]["EndpointConfigName"]}
        return shown

    def op_delete_endpoint(self, params: Params) -> Params:
        endpoint = self._get(self.endpoints, params["EndpointName"], "endpoint")
        if endpoint["EndpointStatus"] not in {"InService", "OutOfService", "Failed"}:
            raise Refused("Cannot delete in-progress endpoint")
        if self.schedules:
            raise Refused("The endpoint has a monitoring schedule")
        self.endpoints[params["EndpointName"]] = endpoint | {"EndpointStatus": "Deleting", "left": 1}
        return {}

    def op_create_data_quality_job_definition(self, params: Params) -> Params:
        self._add(self.definitions, params["JobDefinitionName"], params, "ResourceInUse")
        return {"JobDefinitionArn": self._arn("data-quality-job-definition")}

    def op_list_data_quality_job_definitions(self, params: Params) -> Params:
        same = {"CreationTime": 0, "EndpointName": params["EndpointName"], "MonitoringJobDefinitionArn": self._arn("x")}
        found = [{"MonitoringJobDefinitionName": name, **same} for name in self.definitions]
        return {"JobDefinitionSummaries": found}

    def op_delete_data_quality_job_definition(self, params: Params) -> Params:
        self._get(self.definitions, params["JobDefinitionName"], "job definition")
        del self.definitions[params["JobDefinitionName"]]
        return {}

    def op_create_monitoring_schedule(self, params: Params) -> Params:
        self._add(self.schedules, params["MonitoringScheduleName"], params, "ResourceInUse")
        return {"MonitoringScheduleArn": self._arn("monitoring-schedule")}

    def op_update_monitoring_schedule(self, params: Params) -> Params:
        self._get(self.schedules, params["MonitoringScheduleName"], "schedule")
        self.schedules[params["MonitoringScheduleName"]] = params
        return {"MonitoringScheduleArn": self._arn("monitoring-schedule")}

    def op_describe_monitoring_schedule(self, params: Params) -> Params:
        return self._get(self.schedules, params["MonitoringScheduleName"], "schedule")

    def op_delete_monitoring_schedule(self, params: Params) -> Params:
        self._get(self.schedules, params["MonitoringScheduleName"], "schedule")
        del self.schedules[params["MonitoringScheduleName"]]
        return {}

    def op_put_parameter(self, params: Params) -> Params:
        self.parameters[params["Name"]] = params["Value"]
        return {"Version": 1}

    def op_get_parameter(self, params: Params) -> Params:
        if params["Name"] not in self.parameters:
            raise Refused(params["Name"], "ParameterNotFound")
        return {"Parameter": {"Name": params["Name"], "Value": self.parameters[params["Name"]]}}

    def op_register_scalable_target(self, params: Params) -> Params:
        if self.endpoints.get(params["ResourceId"].split("/")[1], {}).get("EndpointStatus") != "InService":
            raise Refused("No scalable target there", "ValidationException")
        self.scalable[params["ResourceId"]] = params
        return {}

    def op_put_scaling_policy(self, params: Params) -> Params:
        self.scalable[params["ResourceId"]] |= {"policy": params}
        return {"PolicyARN": "arn:aws:autoscaling:us-east-1:000000000000:scalingPolicy:1"}

    def op_deregister_scalable_target(self, params: Params) -> Params:
        if params["ResourceId"] not in self.scalable:
            raise Refused("No scalable target found", "ObjectNotFoundException")
        del self.scalable[params["ResourceId"]]
        return {}

    def op_put_metric_alarm(self, params: Params) -> Params:
        state = {"StateValue": "INSUFFICIENT_DATA"} | self.alarms.get(params["AlarmName"], {})
        self.alarms[params["AlarmName"]] = params | {"StateValue": state["StateValue"]}
        return {}

    def op_describe_alarms(self, params: Params) -> Params:
        prefix, named = params.get("AlarmNamePrefix"), params.get("AlarmNames", [])
        wanted = [name for name in self.alarms if name in named or (prefix and name.startswith(prefix))]
        found = [self.alarms[name] for name in wanted]
        return {"MetricAlarms": [{key: one[key] for key in ("AlarmName", "StateValue")} for one in found]}

    def op_delete_alarms(self, params: Params) -> Params:
        for name in params["AlarmNames"]:
            if name not in self.alarms:
                raise Refused(f"Alarm {name} does not exist", "ResourceNotFound", 404)
            del self.alarms[name]
        return {}

    def op_list_processing_jobs(self, params: Params) -> Params:
        return {"ProcessingJobSummaries": []}

    def op_create_processing_job(self, params: Params) -> Params:
        self.jobs.append(params["ProcessingJobName"])
        return {"ProcessingJobArn": self._arn("processing-job")}

    def op_put_metric_data(self, params: Params) -> Params:
        return {}

    def ring(self, name: str) -> None:
        self.alarms[name] = self.alarms.get(name, {"AlarmName": name}) | {"StateValue": "ALARM"}

    def op_enable_rule(self, params: Params) -> Params:
        self.enabled_rules.append(params["Name"])
        return {}

    def _ended(self, endpoint: Params, ending: str) -> Params:
        """What a change comes to: ok, rolled_back (silently), failed, hang (never ends)."""
        pending = endpoint.pop("pending", None)
        if ending == "hang":
            return {"left": 10**9}
        if ending == "ok":
            new = pending or endpoint
            return {"EndpointStatus": "InService", "EndpointConfigName": new["EndpointConfigName"]}
        if ending == "rolled_back" and pending:
            return {"EndpointStatus": "InService"}
        return {"EndpointStatus": "Failed", "FailureReason": "The primary container did not pass the ping."}

    def _get(self, kind: dict[str, Params], name: str, what: str) -> Params:
        if name not in kind:
            raise Refused(f'Could not find {what} "{name}".')
        return dict(kind[name])

    def _add(self, kind: dict[str, Params], name: str, made: Params, code: str = "ValidationException") -> None:
        if name in kind:
            raise Refused(f'Cannot create already existing "{name}".', code)
        kind[name] = made

    def _arn(self, kind: str) -> str:
        return f"arn:aws:sagemaker:us-east-1:000000000000:{kind}/scones-unlimited-made-by-the-fake"

"""A QualityCheck step: a processing job computes a baseline of a data set, and compares it with an earlier baseline.

"QualityCheck step" and "Baseline calculation, drift detection and lifecycle" in the developer guide; the service model
says which baselines must be there:

| SkipCheck | RegisterNewBaseline | previous baseline | BaselineUsedForDriftCheck… |
|---|---|---|---|
| false | false | compared with | the previous one |
| false | true | compared with | the new one |
| true | false | must exist | the previous one |
| true | true | not looked for | the new one |

The previous baseline is the supplied one, else that of the latest approved model package in the group.
"""

from __future__ import annotations

import logging
import posixpath
from dataclasses import dataclass, field
from typing import Any

from localcloud.sagemaker.engine import records
from localcloud.sagemaker.engine.activity import Activity
from localcloud.sagemaker.engine.expressions import ExpressionError, resolve
from localcloud.sagemaker.engine.step_members import typed
from localcloud.sagemaker.errors import ServiceError

log = logging.getLogger(__name__)

BASELINES = {"DATA_QUALITY": "ModelDataQuality", "MODEL_QUALITY": "ModelQuality"}
"""The member of a model package's DriftCheckBaselines, by CheckType."""
FILES = {"Statistics": "baseline_statistics", "Constraints": "baseline_constraints"}
"""The environment variable of Model Monitor's container contract that names each file of the previous baseline."""
FOLDER = "/opt/ml/processing/input"
FLAGS = {"SkipCheck": False, "RegisterNewBaseline": False, "FailOnViolation": True}
"""The step's switches, and what they are when nobody sets them: the SDK's QualityCheckStep."""
SHOWN_VIOLATIONS = 3


@dataclass
class QualityCheckActivity(Activity):
    """The processing job of a check, and what it found."""

    _check: dict[str, Any] = field(default_factory=dict)
    _violations: str = ""

    def take_up(self, body: dict[str, Any]) -> str | None:
        """Go on from a record that an earlier run left."""
        self._check = body.get("Check", {})
        return super().take_up(body) if self._check else "Failed"

    def _new_request(self) -> dict[str, Any]:
        """The processing job's request, with the previous baseline as its inputs if it is compared with."""
        request = super()._new_request()
        own = resolve(dict(self.step.own), self.outcomes.scope())
        skip, register, fail = (_flag(own, name) for name in FLAGS)
        previous = {} if skip and register else self._previous(own)
        self._check = {
            **own,
            "SkipCheck": skip,
            "RegisterNewBaseline": register,
            "FailOnViolation": fail,
            "Previous": previous,
        }
        records.change_step(self.cloud, self.run.name, self.step.name, Check=self._check)
        if skip:
            return request
        inputs, variables = [], {}
        for file, uri in previous.items():
            place = f"{FOLDER}/{FILES[file]}"
            variables[FILES[file]] = f"{place}/{posixpath.basename(uri)}"
            source = {"S3Uri": uri, "LocalPath": place, "S3DataType": "S3Prefix", "S3InputMode": "File"}
            inputs.append({"InputName": f"{FILES[file]}_input", "S3Input": source})
        request["ProcessingInputs"] = [*request.get("ProcessingInputs", []), *inputs]
        request["Environment"] = {**request.get("Environment", {}), **variables}
        return request

    def _previous(self, own: dict[str, Any]) -> dict[str, str]:
        """The files of the earlier baseline by what they are.

        Raises:
            ExpressionError: there is none.
        """
        found = {file: own[f"SuppliedBaseline{file}"] for file in FILES if own.get(f"SuppliedBaseline{file}")}
        group = own.get("ModelPackageGroupName")
        if len(found) < len(FILES) and group:
            files = self._registered(group).get(BASELINES[own["CheckType"]], {})
            found = {**{file: files[file]["S3Uri"] for file in FILES if file in files}, **found}
        needed = ("Constraints",) if own["CheckType"] == "MODEL_QUALITY" else tuple(FILES)
        if missing := [file.lower() for file in needed if file not in found]:
            where = f"the latest approved package of group {group} has none" if group else "no group is named"
            raise ExpressionError(
                f"ClientError: there is no previous baseline ({' and '.join(missing)}): none is supplied, and {where}. "
                "The first time, run with SkipCheck and RegisterNewBaseline both true."
            )
        return found

    def _registered(self, group: str) -> dict[str, Any]:
        """The DriftCheckBaselines of the latest approved package; empty without a package, or without the group."""
        request = {"ModelPackageGroupName": group, "ModelApprovalStatus": "Approved", "MaxResults": 1}
        try:
            listed = self.cloud.call("ListModelPackages", {**request, "SortOrder": "Descending"})
            for package in listed["ModelPackageSummaryList"]:
                described = self.cloud.call("DescribeModelPackage", {"ModelPackageName": package["ModelPackageArn"]})
                found: dict[str, Any] = described.get("DriftCheckBaselines", {})
                return found
        except ServiceError as error:
            log.info("no baseline for step %s in group %s: %s", self.step.name, group, error)
        return {}

    def _keyed(self, request: dict[str, Any]) -> dict[str, Any]:
        return {**request, **self._check}

    def _metadata(self, arn: str) -> dict[str, Any]:
        shown = ("CheckType", "ModelPackageGroupName", "SkipCheck", "RegisterNewBaseline")
        return {
            **{name: self._check[name] for name in shown if name in self._check},
            **self._properties(),
            **({"ViolationReport": self._violations} if self._violations else {}),
            "CheckJobArn": arn,
        }

    def _properties(self) -> dict[str, str]:
        folder = self._output()
        new = {"Statistics": f"{folder}/statistics.json", "Constraints": f"{folder}/constraints.json"}
        used = new if self._check["RegisterNewBaseline"] else self._check["Previous"]
        return {
            **{f"CalculatedBaseline{file}": uri for file, uri in new.items()},
            **{f"BaselineUsedForDriftCheck{file}": uri for file, uri in used.items()},
        }

    def _output(self) -> str:
        job = self.cloud.call("DescribeProcessingJob", {"ProcessingJobName": self._job})
        return str(job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]).rstrip("/")

    def _succeed(self, arn: str, **members: Any) -> str:
        """The job has done its work: the step fails if it found violations and FailOnViolation is set."""
        found = []
        if not self._check["SkipCheck"]:
            report = f"{self._output()}/constraint_violations.json"
            try:
                found = self.outcomes.s3_json(report)["violations"]
            except ExpressionError as error:
                return self._write("Failed", FailureReason=f"ClientError: the check wrote no report: {error}")
            self._violations = report if found else ""
        if found and self._check["FailOnViolation"]:
            first = "; ".join(str(violation.get("description")) for violation in found[:SHOWN_VIOLATIONS])
            reason = f"ClientError: {len(found)} violations of the baseline, see {self._violations}: {first}"
            return self._write("Failed", FailureReason=reason, Metadata={self.kind.metadata: self._metadata(arn)})
        return super()._succeed(arn, Properties=self._properties(), **members)


def _flag(own: dict[str, Any], name: str) -> bool:
    """A switch, which may have come from a parameter of text.

    Raises:
        ExpressionError: it is none.
    """
    value = own.get(name, FLAGS[name])
    try:
        return bool(typed("Boolean", value))
    except ValueError:
        raise ExpressionError(f"ClientError: {name} is {value!r}, not a boolean.") from None

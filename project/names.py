"""Names of everything the project owns in an account: deterministic, so nothing has to be looked up.

S3 layout of the project's bucket::

    code/<hash>/...                         job code, content-hashed
    data/<sha256, first 16>/archive.tar.gz  input archives, named by content alone
    data/<sha256, first 16>/pictures/...    own pictures, content-hashed, with pictures.json beside them
    executions/<execution id>/<step>/...    outputs of one pipeline execution
    models/<training job>/output/model.tar.gz
    lambda/<hash>/..., stepfunctions/<hash>/...   what the account's template refers to
    incoming/...                            pictures that start the inference workflow by landing here
    invoked/<sha256, first 16>/<picture>    pictures that `scones invoke` uploaded
    batches/<execution>/...                 work list, results and summary of a batch
    captures/<endpoint>/...                 captured requests and answers
    monitor/<endpoint>/<schedule>/<hour>/   what a run of the monitor found; by-hand/<time>/ of one by hand
    monitor-inputs/...                      which captured files a run read
    ground-truth/<endpoint>/<hour>/...      labels that people gave
    set-aside/<endpoint>/<hour>/...         pictures that people found to be of none of the classes
    reviewed/<sha256, first 16>/...         labelled deliveries as a data set: reviewed.json and pictures/<sha256>
    reviewed/newest.json                    which of those sets was published last
    alerts/open/<problem>.json              problems that an alert was sent for and that are still open
"""

from __future__ import annotations

from dataclasses import dataclass

from project.settings import Settings

LOCAL_ACCOUNT = "000000000000"
"""The account id of a definition that is rendered without an account: the local cloud's."""


@dataclass(frozen=True)
class Names:
    """Names for one project in one account and region."""

    settings: Settings
    account: str = LOCAL_ACCOUNT

    @property
    def bucket(self) -> str:
        """At most 25 + 12 + 14 characters and two hyphens, within S3's 63."""
        return f"{self.settings.project}-{self.account}-{self.settings.region}"

    @property
    def stack(self) -> str:
        return self.settings.project

    @property
    def pipeline_role(self) -> str:
        return f"arn:aws:iam::{self.account}:role/{self.settings.project}-pipeline"

    def archive_uri(self, digest: str) -> str:
        """Where an input archive with this SHA-256 lies, whatever its file was called: caching goes by the address."""
        return self.uri("data", digest[:16], "archive.tar.gz")

    def reviewed_uri(self, digest: str) -> str:
        """Where a set of reviewed deliveries lies that is called by the first digits of its list's SHA-256."""
        return self.uri("reviewed", digest, "")

    @property
    def newest_reviewed_uri(self) -> str:
        """The object that says which set of reviewed deliveries was published last."""
        return self.uri("reviewed", "newest.json")

    @property
    def endpoint(self) -> str:
        return self.settings.project

    @property
    def staging(self) -> str:
        """Name of the function that tries a new model out, and what the names of its endpoints begin with."""
        return f"{self.settings.project}-staging"

    @property
    def staging_function(self) -> str:
        """ARN of that function."""
        return f"arn:aws:lambda:{self.settings.region}:{self.account}:function:{self.staging}"

    @property
    def unfamiliarity_parameter(self) -> str:
        """The SSM parameter with the unfamiliarity beyond which a delivery is not routed."""
        return f"/{self.settings.project}/inference/unfamiliarity"

    @property
    def threshold_parameter(self) -> str:
        """The SSM parameter with the confidence below which a delivery is not routed."""
        return f"/{self.settings.project}/inference/threshold"

    @property
    def live_parameter(self) -> str:
        """The SSM parameter that says, as JSON, which version is live; the deploy workflow writes it."""
        return f"/{self.settings.project}/inference/live-model"

    @property
    def monitor(self) -> str:
        """Name of the function that handles the monitor, and of the schedule."""
        return f"{self.settings.project}-monitor"

    @property
    def monitor_parameter(self) -> str:
        """The SSM parameter that says, as JSON, which version is watched, by which scheduler and why."""
        return f"/{self.settings.project}/monitoring/attached"

    @property
    def alerts_topic(self) -> str:
        return f"arn:aws:sns:{self.settings.region}:{self.account}:{self.settings.project}-alerts"

    def state_machine(self, name: str) -> str:
        """ARN of the state machine `name`: deploy, inference or batch."""
        s = self.settings
        return f"arn:aws:states:{s.region}:{self.account}:stateMachine:{s.project}-{name}"

    def uri(self, *parts: str) -> str:
        """`s3://<bucket>/<parts joined by />`."""
        return "/".join((f"s3://{self.bucket}", *parts))

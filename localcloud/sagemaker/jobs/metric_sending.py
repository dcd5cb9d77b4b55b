"""What a training job's metrics become in CloudWatch: /aws/sagemaker/TrainingJobs, by the job's name.

Namespace and dimension are those that the SDK's TrainingJobAnalytics reads. All values of a job are sent when its
program has ended; which was first is not told apart, because its lines have no times.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.sagemaker.cloud import Cloud

log = logging.getLogger(__name__)
NAMESPACE = "/aws/sagemaker/TrainingJobs"
MOST_DATA = 500


def send_metrics(cloud: Cloud, job: str, values: Sequence[tuple[str, float]]) -> None:
    """Send the values that a training job printed; that CloudWatch cannot be reached is no failure of the job."""
    now = datetime.now(UTC)
    dimensions = [{"Name": "TrainingJobName", "Value": job}]
    data = [{"MetricName": name, "Dimensions": dimensions, "Timestamp": now, "Value": value} for name, value in values]
    try:
        for start in range(0, len(data), MOST_DATA):
            cloud.aws("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data[start : start + MOST_DATA])
    except (BotoCoreError, ClientError) as error:
        log.warning("the metrics of %s are not in CloudWatch: %s", job, error)

"""What a day of deliveries and one large batch ask of AWS: a day simulated minute by minute, against quotas and prices.

    python benchmarks/scale.py [--deliveries 10000 1000000 100000000] [--batch 1000000] [--json]

Deliveries come with two peaks a day, as a Poisson process with a fixed seed. The endpoint's instances follow them as
target tracking does: added after three minutes above the target, taken away after fifteen minutes below nine tenths of
it, in service some minutes after they were asked for. Nothing here calls AWS, and nothing is timed: what one delivery
takes was measured with the project's other benchmarks, or is assumed, and stands in Figures with the quotas and prices;
`docs/scale.md` says where each is from. Give others with --set NAME=VALUE.
"""

from __future__ import annotations

import argparse
import json
import math
from typing import Annotated

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt, ValidationError

from lambdas.list_images.listing import MOST_BATCHES, MOST_KEYS
from project.setting_groups import Batch, Section, Serving

MINUTES = 24 * 60
Dollars = Annotated[float, Field(ge=0)]


class Figures(Section):
    """What one delivery takes (measured), what AWS allows (quotas), what it asks for (dollars, us-east-1)."""

    # measured: states entered, from the histories of executions (batch_workflow.py's project)
    states_a_picture: PositiveInt = 12
    states_a_batch: PositiveInt = 4
    # measured: requests a second of two processors (serving_endpoint.py: 614), of which half is counted on
    requests_a_second: PositiveFloat = 300.0
    # assumed: seconds of the three functions of a picture, some three times what they take on one machine
    function_seconds: PositiveFloat = 0.15
    # measured: seconds of a function for one picture of a batch, 0.63 for 25
    batch_picture_seconds: PositiveFloat = 0.025
    # measured: bytes of one captured picture of 32 pixels, and a core's records with pictures (monitor_speed.py)
    capture_bytes: PositiveInt = 4_100
    monitored_a_second: PositiveFloat = 1_000.0
    # quotas
    transitions_a_second: PositiveInt = 1_500
    starts_a_second: PositiveInt = 300
    concurrent_functions: PositiveInt = 1_000
    # dollars
    transition: Dollars = 25e-6
    express_request: Dollars = 1e-6
    express_gb_second: Dollars = 16.67e-6
    function_request: Dollars = 0.2e-6
    function_gb_second: Dollars = 16.67e-6
    function_gb: PositiveFloat = 0.34
    instance_hour: Dollars = 0.115
    stored_gb_month: Dollars = 0.023
    put: Dollars = 5e-6
    # the setting `[serving] target_invocations`, and how long an instance takes to come into service
    target_a_minute: PositiveInt = Serving().target_invocations
    minutes_to_start: PositiveInt = 5


def arrivals(deliveries: int, seed: int = 7) -> np.ndarray:
    """Deliveries in each minute of a day: a base, and peaks at noon and at seven in the evening."""
    minutes = np.arange(MINUTES)
    noon, evening = (np.exp(-(((minutes - peak) / 90.0) ** 2)) for peak in (12 * 60, 19 * 60))
    shape = 0.3 + noon + evening
    counts: np.ndarray = np.random.default_rng(seed).poisson(deliveries * shape / shape.sum())
    return counts


def fleet(traffic: np.ndarray, least: int, figures: Figures) -> tuple[np.ndarray, int]:
    """Instances in service in each minute, and how many minutes had more traffic than they could answer.

    Target tracking: https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking.html
    """
    wanted = max(least, math.ceil(traffic[0] / figures.target_a_minute))
    serving = np.empty(len(traffic), dtype=int)
    asked: list[tuple[int, int]] = []  # minute in which it is in service, count
    above = below = overloaded = 0
    now = wanted
    for minute, requests in enumerate(traffic):
        while asked and asked[0][0] <= minute:
            now = asked.pop(0)[1]
        each = requests / now
        above = above + 1 if each > figures.target_a_minute else 0
        below = below + 1 if each < 0.9 * figures.target_a_minute else 0
        needed = max(least, math.ceil(requests / figures.target_a_minute))
        if above >= 3 and needed > wanted:
            wanted = needed
            asked.append((minute + figures.minutes_to_start, wanted))
        elif below >= 15 and needed < wanted and not asked:
            now = wanted = needed
            below = 0
        serving[minute] = now
        overloaded += int(requests > now * 60 * figures.requests_a_second)
    return serving, overloaded


def day(deliveries: int, figures: Figures) -> dict[str, float]:
    """What one day of deliveries asks for, one execution of the inference workflow for each."""
    traffic = arrivals(deliveries)
    peak = float(traffic.max()) / 60
    serving, overloaded = fleet(traffic, 1, figures)
    transitions = deliveries * figures.states_a_picture
    gb_seconds = deliveries * figures.function_seconds * figures.function_gb
    captured = deliveries * figures.capture_bytes / 1e9
    return {
        "deliveries": deliveries,
        "peak_a_second": round(peak, 1),
        "transitions_peak_a_second": round(peak * figures.states_a_picture, 1),
        "share_of_transition_quota": round(peak * figures.states_a_picture / figures.transitions_a_second, 3),
        "share_of_start_quota": round(peak / figures.starts_a_second, 3),
        "functions_at_once": math.ceil(peak * figures.function_seconds),
        "share_of_function_quota": round(peak * figures.function_seconds / figures.concurrent_functions, 3),
        "instances_most": int(serving.max()),
        "instance_hours": round(float(serving.sum()) / 60, 1),
        "minutes_overloaded": overloaded,
        "captured_gb": round(captured, 2),
        "monitor_core_minutes": round(deliveries / figures.monitored_a_second / 60, 1),
        "dollars_step_functions": round(transitions * figures.transition, 2),
        "dollars_if_express": round(
            deliveries * (figures.express_request + figures.function_seconds * 0.064 * figures.express_gb_second), 2
        ),
        "dollars_lambda": round(3 * deliveries * figures.function_request + gb_seconds * figures.function_gb_second, 2),
        "dollars_endpoint": round(float(serving.sum()) / 60 * figures.instance_hour, 2),
        "dollars_s3": round(deliveries * figures.put + captured * figures.stored_gb_month, 2),
    }


def batch(pictures: int, instances: int, figures: Figures) -> dict[str, float]:
    """What one run of the batch workflow asks for, with four batches at a time for each instance."""
    size = max(Batch().size, min(MOST_KEYS, math.ceil(pictures / MOST_BATCHES)))
    batches, concurrency = math.ceil(pictures / size), 4 * instances
    children = max(
        batches / concurrency * (size * figures.batch_picture_seconds + 0.1),
        pictures / (instances * figures.requests_a_second),
    )
    listing, summary = pictures / 1_000 * 0.1, batches * 0.02
    seconds = pictures * figures.batch_picture_seconds
    return {
        "pictures": pictures,
        "instances": instances,
        "batches": batches,
        "pictures_a_batch": size,
        "at_once": concurrency,
        "minutes": round((listing + children + summary) / 60, 1),
        "listing_seconds": round(listing, 1),
        "summary_seconds": round(summary, 1),
        "transitions": batches * figures.states_a_batch + 7,
        "dollars_step_functions": round((batches * figures.states_a_batch + 7) * figures.transition, 2),
        "dollars_lambda": round(batches * figures.function_request + seconds * figures.function_gb_second, 2),
        "dollars_endpoint": round(instances * children / 3600 * figures.instance_hour, 2),
    }


def positive(text: str) -> int:
    """A count of the command line."""
    if (count := int(text)) < 1:
        raise ValueError
    return count


def main() -> None:
    """Print the tables of docs/scale.md, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deliveries", type=positive, nargs="+", default=[10**4, 10**6, 10**8])
    parser.add_argument("--batch", type=positive, default=10**6)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        figures = Figures.model_validate(
            {name: value for name, _, value in (text.partition("=") for text in options.set)}
        )
    except ValidationError as error:
        wrong = error.errors()[0]
        parser.error(
            f"--set {wrong['loc'][0]}={wrong['input']}: {wrong['msg']}. Known: {', '.join(Figures.model_fields)}."
        )
    days = [day(count, figures) for count in options.deliveries]
    runs = [batch(options.batch, instances, figures) for instances in (1, 10)]
    if options.json:
        print(json.dumps({"figures": figures.model_dump(), "days": days, "batches": runs}, indent=2))
        return
    for found in (days, runs):
        for name in found[0]:
            print(f"| {name.replace('_', ' ')} | " + " | ".join(f"{one[name]:,}" for one in found) + " |")
        print()


if __name__ == "__main__":
    main()

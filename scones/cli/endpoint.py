"""`scones endpoint`: switch off what bills by the hour, and on again."""

from __future__ import annotations

import click

from project import aws, console


@click.group()
def endpoint() -> None:
    """The endpoint bills for as long as it exists: switch it off and on again. Its configuration is kept."""


@endpoint.command()
def stop() -> None:
    """Switch the endpoint off. Pictures that arrive meanwhile fail by name, and alert."""
    from infra import hosted
    from monitoring.watch import schedule

    names = aws.names()
    if hosted.stop(names, console.say, schedule.ask_monitor):
        console.say(f"Endpoint {names.endpoint} is off and bills nothing. On again: scones endpoint start.")
    else:
        console.say(f"Endpoint {names.endpoint} is off already.")


@endpoint.command()
def start() -> None:
    """Switch the endpoint on, with the version and configuration that it had."""
    from infra import costs, hosted
    from monitoring.watch import schedule

    names = aws.names()
    if hosted.start(names, console.say, schedule.ask_monitor):
        console.say(f"Endpoint {names.endpoint} is in service.")
        if aws.bills():
            console.say(costs.endpoint(names.settings))
    else:
        console.say(f"Endpoint {names.endpoint} is on already.")

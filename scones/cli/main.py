"""The `scones` command: a table of verbs, each imported only when it is used."""

from __future__ import annotations

import difflib
import gc
import importlib
import sys

import click

from project.errors import SconesError
from scones.cli import failures

try:
    from localcloud.errors import LocalCloudError
except ModuleNotFoundError:  # no index has it, so that no installer brings it along
    sys.exit("Error: the distribution localcloud is not installed. In the checkout, run: pip install ./localcloud")

SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    # what one wants: {verb: (module:function, one line of help)}
    "This machine": {
        "demo": ("scones.cli.demo:demo", "Run the whole workflow on this machine, one line per step."),
        "local": ("scones.cli.local:local", "The local cloud: up, down, status, env, list, logs."),
    },
    "The data": {
        "data": ("scones.cli.data:data", "Make a sample archive, or fetch the real CIFAR-100."),
    },
    "The pipeline": {
        "check": ("scones.cli.pipeline:check", "Find problems in the definitions, each with its fix."),
        "show": ("scones.cli.pipeline:show", "Draw the pipeline's graph as text or Mermaid."),
        "diff": ("scones.cli.pipeline:diff", "Say what an upsert would change."),
        "upsert": ("scones.cli.pipeline:upsert", "Create or update the pipeline."),
        "start": ("scones.cli.execution:start", "Start an execution, and follow it with --wait."),
        "executions": ("scones.cli.executions:executions", "List executions, and what was different about each."),
        "status": ("scones.cli.execution:status", "Show an execution and its steps; follow it with --wait."),
        "resume": ("scones.cli.execution:resume", "Run the failed and unfinished steps of an execution again."),
        "stop": ("scones.cli.execution:stop", "Stop a running execution."),
        "report": ("scones.cli.report:report", "Write an execution's report: one HTML page with its charts."),
    },
    "The model": {
        "models": ("scones.cli.models:models", "List the versions: metrics, decisions, which is live."),
        "tune": ("scones.cli.tune:tune", "Search for better hyperparameters on the data of an execution."),
        "approve": ("scones.cli.registry:approve", "Approve a model, and follow its deployment with --wait."),
        "reject": ("scones.cli.registry:reject", "Reject a model, or withdraw its approval."),
        "endpoint": ("scones.cli.endpoint:endpoint", "Switch the endpoint off and on again, to save its cost."),
    },
    "Deliveries": {
        "invoke": ("scones.cli.inference:invoke", "Route one picture: a file or an object in S3."),
        "test-cases": ("scones.cli.inference:test_cases", "Route pictures of the test split; a table of outcomes."),
        "batch": ("scones.cli.inference:batch", "Route every picture under a prefix."),
        "threshold": ("scones.cli.threshold:threshold", "Show or set how sure the model must be; who changed it."),
        "unfamiliarity": ("scones.cli.threshold:unfamiliarity", "Show or set how unfamiliar a picture may be."),
    },
    "Watching": {
        "dashboard": ("scones.cli.dashboard:dashboard", "Open the operations desk: watch, review, tune, approve."),
        "monitor": ("scones.cli.monitor:monitor", "Watch the traffic: run, status, report, label, schedule."),
        "logs": ("scones.cli.logs:logs", "Print the log of a step, a function or the endpoint."),
    },
    "The account": {
        "infra": ("scones.cli.infra:infra", "Deploy the account's resources from infra/."),
        "doctor": ("scones.cli.doctor:doctor", "Find what stands in the way: problem, why it matters, fix."),
        "cleanup": ("scones.cli.cleanup:cleanup", "Delete what bills, and show that nothing is left."),
    },
}
VERBS = {verb: entry for verbs in SECTIONS.values() for verb, entry in verbs.items()}
EXAMPLES = (
    ("scones start --archive cifar.tar.gz --wait", "train on an archive, a line per step"),
    ("scones logs Train --follow", "the training's log as it grows"),
    ("scones models", "what there is to approve"),
    ("scones approve 3 --comment 'better on bicycles' --wait", "bring version 3 into service"),
    ("scones executions --status Failed --json", "for a program"),
)


class LazyGroup(click.Group):
    """Lists verbs from the table and imports a verb's module when it runs, so that `--help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        module, _, function = VERBS[name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), function)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-") and not ctx.resilient_parsing:
            near = difflib.get_close_matches(args[0], VERBS, n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            raise click.UsageError(f"No such command `{args[0]}`.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, VERBS))  # of all sections, so that their columns agree
        for title, verbs in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(verb.ljust(width), text) for verb, (_, text) in verbs.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Examples"):
            for command, purpose in EXAMPLES:
                formatter.write(f"  {command}\n      {purpose}\n")


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="scones-unlimited", prog_name="scones")
def scones() -> None:
    """Classify delivery vehicles with Amazon SageMaker, on AWS or on this machine alone.

    Exit codes: 0 ok, 1 failed, 2 usage, 3 the quality gate or the monitor said no, 4 the monitor could not judge, 130
    interrupted. With --json, stdout is one JSON document, an error as well.
    """


def main() -> None:
    """Run the command; a known failure is one line on stderr and its exit code, and with `--json` a document."""
    # The SageMaker SDK's import makes 300,000 objects that stay to the end. Looking for garbage among them 700 times
    # takes a tenth of the time of `scones check`.
    gc.set_threshold(200_000, 30, 30)
    try:
        code = scones.main(standalone_mode=False)
    except click.ClickException as error:
        code = failures.tell_usage(error)
    except (SconesError, LocalCloudError) as error:
        code = failures.tell(error.problem, error.fix, error.exit_code)
    except click.Abort as abort:  # click's name for Ctrl-C, and for a question that got no answer
        code = failures.tell_end(abort.__cause__ or abort.__context__)
    sys.exit(code)

"""The errors of every room, and the exit code each one ends the command with.

    SconesError                1   something failed
    ├── UsageError             2   the command, a setting or a name is wrong: nothing was tried
    ├── DataError              1   an archive, image, manifest or label is not what it must be
    ├── CloudError             1   AWS (or the local cloud) refused, failed or cannot be reached
    ├── ExecutionFailedError   1   a pipeline execution or a job ended badly
    └── QualityGateError       3   everything worked, and the model is not good enough

A message says what was being done, to which object, and what was found; the fix says what to do next.
This module imports nothing, so that job code can carry it into a container.
"""


class SconesError(Exception):
    """A failure that the user can understand and act on."""

    exit_code = 1

    def __init__(self, problem: str, fix: str = "") -> None:
        self.problem = problem
        self.fix = fix
        super().__init__(f"{problem} {fix}".strip())


class UsageError(SconesError):
    """The command line, a setting or a name is wrong; nothing was tried."""

    exit_code = 2


class DataError(SconesError):
    """An archive, image, manifest or label is not what it must be."""


class CloudError(SconesError):
    """AWS, or the local cloud, refused a request, failed, or cannot be reached."""


class ExecutionFailedError(SconesError):
    """A pipeline execution or a job ended badly."""


class QualityGateError(SconesError):
    """Every step worked and the quality gate said no: nothing was registered."""

    exit_code = 3

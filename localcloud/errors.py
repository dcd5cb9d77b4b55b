"""The errors of the local cloud and its programs, and the exit code each one ends a command with.

    LocalCloudError      1   the local cloud cannot start, or is not running
    ├── PortInUseError   1   another program has the port that a part is to listen on
    ├── SettingError     2   a program's variable or hyperparameter is missing or wrong: nothing was tried
    ├── ArtifactError    1   a model, a handler or a script's archive is not what it must be
    └── CustomerError    2   what the container calls so: the training job's own settings or data are wrong

A message says what was being done, to which object, and what was found; the fix says what to do next.
"""


class LocalCloudError(Exception):
    """A failure that the user can understand and act on: the local cloud cannot start, or is not running."""

    exit_code = 1

    def __init__(self, problem: str, fix: str = "") -> None:
        self.problem = problem
        self.fix = fix
        super().__init__(f"{problem} {fix}".strip())


class PortInUseError(LocalCloudError):
    """Another program has the port that a part is to listen on."""


class SettingError(LocalCloudError):
    """A variable or hyperparameter of a program is missing or wrong; nothing was tried."""

    exit_code = 2


class ArtifactError(LocalCloudError):
    """A model, a handler or a script's archive is not what it must be."""


class CustomerError(LocalCloudError):
    """Settings or data of the training job are wrong. The container logs `Customer Error: …` and exits with 2."""

    exit_code = 2

"""Run the command that the environment holds, one word per variable: COMMAND_00, COMMAND_01 and so on.

A training job that a tuning job starts cannot name its entry point, but a framework container then runs a Python script
in script mode. This is that script: it hands over to the command that the training step has. The words are
variables because a value holds 512 characters, too few for the whole command.
"""

import os

words = [value for name, value in sorted(os.environ.items()) if name.startswith("COMMAND_")]
os.execvp(words[0], words)  # noqa: S606 - no shell is wanted

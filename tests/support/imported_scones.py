"""Imports what verbs of `scones` import, for the process that commands.py forks: boto3, charts, the SageMaker SDK."""

import gc
import importlib

from pipelines.definition.build import build
from project.names import Names
from project.settings import Settings

gc.set_threshold(200_000, 30, 30)  # as `scones` itself does
for module in ("infra.stack", "localcloud.up", "scones.cli.main", "scones.reports.figures"):
    importlib.import_module(module)
build(Names(Settings(), "000000000000"))  # nothing but a rendering imports all of the SDK
gc.freeze()

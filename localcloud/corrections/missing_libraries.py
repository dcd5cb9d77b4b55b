"""One more line in a function's log when a library is missing: what would bring it."""

from __future__ import annotations

import re
import sys
from functools import cache
from importlib.metadata import packages_distributions

MISSING = re.compile(r"No module named '([^']+)'")
UNLOADABLE = re.compile(r"cannot import name '_\w+' from|DLL|undefined symbol|invalid ELF header|wrong ELF class")
LAYERS_OF_AWS = {
    "AWSSDKPandas-Python{}": ("awswrangler", "numpy", "pandas", "pyarrow"),
    "AWSLambdaPowertoolsPythonV3-python{}-x86_64": ("aws_lambda_powertools", "pydantic"),
}
"""Public layers of AWS (the runtime's digits in the gap), and what people take from them.

Source: the installation pages of AWS SDK for pandas and of Powertools for AWS Lambda.
"""


def hint(problem: str, runtime: str) -> str:
    """What to do about an error message of a failed import; "" when it is none.

    Args:
        problem: the error's message.
        runtime: the function's, such as python3.12.
    """
    here = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    found = MISSING.search(problem)
    if found is None and not UNLOADABLE.search(problem):
        return ""
    another = f" Compiled libraries must be for {here}, which runs {runtime} functions here." if here != runtime else ""
    name = found[1].partition(".")[0] if found else ""
    if not found or "." in found[1]:
        return (
            "localcloud: a library of the function or its layers is incomplete or was built for another Python or "
            f"platform.{another}"
        )
    package = distribution_of(name)
    digits = "".join(filter(str.isdigit, runtime))
    public = [layer.format(digits) for layer, names in LAYERS_OF_AWS.items() if name in names]
    on_aws = f" On AWS the public layer {public[0]} has it too." if public else ""
    return (
        f"localcloud: {name} is no part of Lambda's Python runtime, here as on AWS. Put it into the function's zip or "
        f"a layer: pip install --target python {package}; zip -r layer.zip python.{on_aws}{another}"
    )


def distribution_of(module: str) -> str:
    """What to install for a module: the distribution that brings it here, else one of its own name."""
    return _installed().get(module, [module])[0]


@cache
def _installed() -> dict[str, list[str]]:
    return dict(packages_distributions())

"""SageMaker's PyTorch serving container on one machine: `python -m localcloud.programs.pytorch_inference serve`.

The model folder (`$SAGEMAKER_BASE_DIR/model`) holds the weights and `code/inference.py`, whose functions are called as
the PyTorch inference toolkit calls them (handlers.py). The toolkit's defaults need PyTorch; it is imported only then,
or when the handler itself does. A handler chooses the status of its answer with `sagemaker_inference.errors`.
"""

from __future__ import annotations

import sys

from localcloud.programs import pytorch_defaults
from localcloud.programs.handlers import Defaults, run
from localcloud.programs.toolkit_errors import make_importable

DEFAULTS: Defaults = {
    "model_fn": pytorch_defaults.model_fn,
    "input_fn": pytorch_defaults.input_fn,
    "predict_fn": pytorch_defaults.predict_fn,
    "output_fn": pytorch_defaults.output_fn,
}

if __name__ == "__main__":
    make_importable()
    sys.exit(run(sys.argv[1:], DEFAULTS))

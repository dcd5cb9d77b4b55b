"""Train the vehicle classifier from scratch: an ensemble of small networks, a process each.

    python3 run.py train --train DIR --validation DIR --train-lst DIR --validation-lst DIR \
        --hyperparameters FILE --model-dir DIR --output-data-dir DIR --classes bicycle,motorcycle

How it works: each member learns from the training images and from the part of the validation split that it does not
hold out, in its own single-thread process (`ensemble.py`, `member.py`), from pictures changed at random (`augment.py`).
So every validation image is judged by a member that never saw it. Those judgements are the logged validation accuracy,
fit the temperature (`temperature.py`), and say how alike pictures of the classes look to it (`likeness.py`). What is
served is the running mean of each member's weights, as one ONNX graph (`fold.py`, `graph.py`) that holds everything
from pixels to calibrated probabilities and likeness, beside `inference.py`. With `--others DIR` and hyperparameter
`other_pictures`, pictures of other classes are learned from as well (`others.py`).

Evidence: bicycle or motorcycle, 5-fold cross-validation over 1,000 real CIFAR-100 pictures, two seeds: accuracy .961
(sd .014 over ten folds), expected calibration error .013, 89 % of the answers at confidence .93 or more with .990 of
them right; 140 processor seconds for three members. 2026-11-29, two busy cores of an AMD EPYC with AVX-512 BF16.
docs/training.md has what was tried; `python benchmarks/accuracy.py --archive ... --folds 5 --seeds 2` repeats it.
"""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Run the training job; its exit code. PyTorch is imported here, so that importing the package stays cheap."""
    from steps.train.job import main as train

    return train(argv)

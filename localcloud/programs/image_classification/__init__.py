"""AWS's built-in image-classification algorithm, re-done with PyTorch on CPU: `python -m …image_classification train`.

The same channels, hyperparameters, log lines, errors, artifact layout and responses as the container, so that a
pipeline that trains with it runs unchanged on one machine. It is a stand-in: the networks and their training follow
the published architecture, the numbers it reaches are its own. Not stood in for, and refused with a message: RecordIO
and augmented-manifest input, Pipe mode, pretrained weights and the `model` channel, multi-label data.

    hyperparameters ─┐
    channels ────────┼─► training ─► checkpoint (weights + network description) ─► prediction (ONNX Runtime) ─► serving
    network ─────────┘
"""

"""The residual networks, described as a list of nodes that both training and serving are built from.

Pre-activation residual networks (He et al., "Identity Mappings in Deep Residual Networks", 2016), as AWS's algorithm
uses: three stages of two-convolution units for small images (20 to 110 layers, the paper's CIFAR family), four stages
for large ones (18 to 200 layers, bottleneck units from 50 on). The first node normalises the raw 0-255 pixels with
statistics learnt in training, so that nothing has to be subtracted from an image before the network sees it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from localcloud.programs.image_classification.hyperparameters import SMALL_IMAGE_LAYERS

INPUT = "data"
OUTPUT = "softmax"
BATCH_NORM_EPSILON = 2e-5
SMALL_STEM_HEIGHT = 32  # up to here the first convolution keeps the resolution; above it the image is quartered first

LARGE_STAGES = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
    200: (3, 24, 36, 3),
}


@dataclass(frozen=True)
class Node:
    """One operation: its unique name, kind, the nodes it reads, and its sizes.

    kinds and attributes: `convolution` (channels, filters, kernel, stride, pad), `batch_norm` (channels, and
    fixed_gamma 1 when the scale is not learnt), `relu`, `add`, `max_pool` (kernel, stride, pad), `global_average_pool`,
    `fully_connected` (channels, filters), `softmax`.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    attributes: dict[str, int] = field(default_factory=dict)


class _Graph:
    """Collects nodes; `top` is the name of the node added last."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.top = INPUT

    def add(self, name: str, kind: str, *inputs: str, **attributes: int) -> str:
        self.nodes.append(Node(name, kind, inputs or (self.top,), attributes))
        self.top = name
        return name

    def norm_relu(self, suffix: str, channels: int, prefix: str = "") -> str:
        self.add(f"{prefix}bn{suffix}", "batch_norm", channels=channels)
        return self.add(f"{prefix}relu{suffix}", "relu")

    def convolution(self, name: str, source: str, channels: int, filters: int, kernel: int, stride: int = 1) -> str:
        return self.add(
            name,
            "convolution",
            source,
            channels=channels,
            filters=filters,
            kernel=kernel,
            stride=stride,
            pad=kernel // 2,
        )


def residual_network(num_layers: int, image_shape: tuple[int, int, int], num_classes: int) -> list[Node]:
    """The nodes of a residual network in an order that can be executed, from `data` [N, c, h, w] to `softmax` [N, k].

    The family is chosen by `num_layers` alone, one of SMALL_IMAGE_LAYERS or LARGE_IMAGE_LAYERS.
    """
    channels, height, _ = image_shape
    if num_layers in SMALL_IMAGE_LAYERS:
        bottleneck, stem = False, 16
        filters: tuple[int, ...] = (16, 32, 64)
        stages: tuple[int, ...] = ((num_layers - 2) // 6,) * 3
    else:
        bottleneck = num_layers >= 50
        filters = (256, 512, 1024, 2048) if bottleneck else (64, 128, 256, 512)
        stages, stem = LARGE_STAGES[num_layers], 64

    graph = _Graph()
    graph.add("bn_data", "batch_norm", channels=channels, fixed_gamma=1)
    if height <= SMALL_STEM_HEIGHT:
        graph.convolution("conv0", graph.top, channels, stem, kernel=3)
    else:
        graph.convolution("conv0", graph.top, channels, stem, kernel=7, stride=2)
        graph.norm_relu("0", stem)
        graph.add("pooling0", "max_pool", kernel=3, stride=2, pad=1)

    width = stem
    for stage, (units, stage_filters) in enumerate(zip(stages, filters, strict=True), start=1):
        for unit in range(1, units + 1):
            stride = 2 if unit == 1 and stage > 1 else 1
            _unit(graph, f"stage{stage}_unit{unit}_", width, stage_filters, stride, unit > 1, bottleneck)
            width = stage_filters
    graph.norm_relu("1", width)
    graph.add("pool1", "global_average_pool")
    graph.add("fc1", "fully_connected", channels=width, filters=num_classes)
    graph.add(OUTPUT, "softmax")
    return graph.nodes


def _unit(
    graph: _Graph, prefix: str, channels: int, filters: int, stride: int, same_shape: bool, bottleneck: bool
) -> None:
    """A pre-activation residual unit. When the shape changes, the shortcut is a 1x1 convolution of the activation."""
    block = graph.top
    activated = graph.norm_relu("1", channels, prefix)
    if bottleneck:
        inner = filters // 4
        graph.convolution(f"{prefix}conv1", activated, channels, inner, kernel=1)
        graph.convolution(f"{prefix}conv2", graph.norm_relu("2", inner, prefix), inner, inner, kernel=3, stride=stride)
        last = graph.convolution(f"{prefix}conv3", graph.norm_relu("3", inner, prefix), inner, filters, kernel=1)
    else:
        graph.convolution(f"{prefix}conv1", activated, channels, filters, kernel=3, stride=stride)
        last = graph.convolution(f"{prefix}conv2", graph.norm_relu("2", filters, prefix), filters, filters, kernel=3)
    shortcut = (
        block if same_shape else graph.convolution(f"{prefix}sc", activated, channels, filters, kernel=1, stride=stride)
    )
    graph.add(f"{prefix}plus", "add", last, shortcut)

"""The ONNX file: the same answers as PyTorch, for any number of members and classes."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch

from steps.train import graph, likeness
from steps.train.fold import fold
from steps.train.network import Network

SIDE = 16


def _network(classes: int, seed: int) -> Network:
    """A network with input statistics and running averages of its own, as after training."""
    torch.manual_seed(seed)
    network = Network((16, 16, 32), classes)
    pictures = torch.rand(8, 3, SIDE, SIDE)
    network.fit_input(pictures)
    with torch.no_grad():
        network.whiten.bias.uniform_(-0.2, 0.2)
        for _ in range(3):
            network(pictures)
    return network.eval()


@pytest.mark.parametrize(("members", "classes"), [(1, 2), (2, 2), (3, 5)])
def test_graph_answers_as_pytorch_does(members: int, classes: int) -> None:
    networks = [_network(classes, seed) for seed in range(members)]
    pixels = np.random.default_rng(3).integers(0, 256, (6, SIDE, SIDE, 3), dtype=np.uint8)
    with torch.no_grad():
        pictures = torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255
        logits = torch.stack([network(pictures) for network in networks]).mean(dim=0)
        expected = (logits / 0.2).softmax(dim=1).numpy()
        features = [network.features(pictures).double().numpy() for network in networks]
    towards = [np.random.default_rng(seed).normal(size=(32, classes)) for seed in range(members)]
    alike = np.mean([likeness.of_features(*pair) for pair in zip(features, towards, strict=True)], axis=0)
    session = onnxruntime.InferenceSession(
        graph.build(list(map(fold, networks, towards)), 0.2, SIDE), providers=["CPUExecutionProvider"]
    )
    answers, found = session.run(None, {"pictures": pixels})
    np.testing.assert_allclose(found, alike, rtol=1e-4)
    assert answers.shape == (6, classes)
    np.testing.assert_allclose(answers, expected, atol=1e-5)
    assert np.ptp(answers, axis=0).max() > 1e-3, "the answers do not depend on the pictures"


def test_graph_is_the_same_bytes_for_the_same_networks() -> None:
    first, second = (graph.build([fold(_network(2, 1), np.ones((32, 2)))], 0.7, SIDE) for _ in range(2))
    assert first == second


def test_graph_passes_the_checker_of_the_onnx_project() -> None:
    onnx = pytest.importorskip("onnx")
    built = graph.build([fold(_network(2, 1), np.ones((32, 2)))], 0.7, SIDE)
    onnx.checker.check_model(onnx.load_from_string(built), full_check=True)

"""The residual networks: depth, shapes, and the same numbers in PyTorch and in ONNX Runtime."""

import numpy as np
import onnxruntime
import pytest
import torch

from localcloud.programs.image_classification.hyperparameters import LARGE_IMAGE_LAYERS, SMALL_IMAGE_LAYERS
from localcloud.programs.image_classification.network import residual_network
from localcloud.programs.image_classification.onnx_network import onnx_model
from localcloud.programs.image_classification.torch_network import TorchNetwork, export_parameters


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def network(num_layers, image_shape, num_classes=2):
    nodes = residual_network(num_layers, image_shape, num_classes)
    return nodes, TorchNetwork(nodes, torch.Generator().manual_seed(3))


@pytest.mark.parametrize("num_layers", SMALL_IMAGE_LAYERS + LARGE_IMAGE_LAYERS)
@pytest.mark.parametrize("image_shape", [(3, 28, 28), (3, 224, 224)])
def test_network_has_the_depth_asked_for(num_layers, image_shape):
    nodes = residual_network(num_layers, image_shape, 2)
    layers = [
        node
        for node in nodes
        if node.kind in ("convolution", "fully_connected") and not node.name.endswith("_sc")  # shortcuts do not count
    ]
    assert len(layers) == num_layers


@pytest.mark.parametrize("num_layers", SMALL_IMAGE_LAYERS + LARGE_IMAGE_LAYERS)
def test_nodes_read_only_what_stands_before_them(num_layers):
    known = {"data"}
    for node in residual_network(num_layers, (3, 32, 32), 2):
        assert set(node.inputs) <= known
        assert node.name not in known
        known.add(node.name)


@pytest.mark.parametrize(
    ("num_layers", "image_shape", "num_classes"), [(20, (3, 28, 28), 2), (18, (3, 40, 48), 5), (50, (3, 32, 32), 3)]
)
def test_onnx_gives_the_probabilities_of_pytorch(num_layers, image_shape, num_classes):
    nodes, module = network(num_layers, image_shape, num_classes)
    images = torch.randint(0, 256, (4, *image_shape), generator=torch.Generator().manual_seed(1)).float()
    module.train()
    for _ in range(3):  # statistics as after some training, or the deep layers would overflow
        module(images)
    module.eval()
    with torch.inference_mode():
        expected = module(images).softmax(1).numpy()
    model = onnx_model(nodes, export_parameters(module), image_shape, num_classes)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (given,) = session.run(["softmax"], {"data": images.numpy()})
    np.testing.assert_allclose(given, expected, atol=1e-5)


def test_default_depth_trains_on_small_images():
    _, module = network(152, (3, 32, 32))
    images = torch.randint(0, 256, (2, 3, 32, 32), generator=torch.Generator().manual_seed(1)).float()
    loss = torch.nn.functional.cross_entropy(module(images), torch.tensor([0, 1]))
    loss.backward()
    assert torch.isfinite(loss)
    assert all(parameter.grad is not None for parameter in module.parameters() if parameter.requires_grad)


def test_weights_follow_the_generator():
    first, second = (network(20, (3, 28, 28))[1] for _ in range(2))
    for left, right in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(left, right)


def test_pixels_are_normalised_without_a_learnt_scale():
    _, module = network(20, (3, 28, 28))
    assert not module.layers["bn_data"].weight.requires_grad
    assert module.layers["bn_data"].bias.requires_grad

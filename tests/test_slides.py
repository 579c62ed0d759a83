"""The PyTorch code on the slides of lecture 5 runs here with only its import lines changed.

The two classes below are the slide, word for word. What they print is compared with what PyTorch prints, and
what they compute with the same network written in NumPy.
"""

import numpy as np
import pytest

import tinygrad_nuc as tn

SLIDE = '''\
import torch
import torch.nn as nn
import torch.nn.functional as F

class ShallowNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super(ShallowNN, self).__init__()
        self.fc1 = nn.Linear(input_size, hidden_size)
        self.fc2 = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = self.fc2(x)
        return x

# Example usage
input_size = 10
hidden_size = 5
output_size = 2
model = ShallowNN(input_size, hidden_size, output_size)
print(model)

class DeepNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super(DeepNN, self).__init__()
        self.fc1 = nn.Linear(input_size, hidden_size)
        self.fc2 = nn.Linear(hidden_size, hidden_size)
        self.fc3 = nn.Linear(hidden_size, hidden_size)
        self.fc4 = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        x = F.relu(self.fc3(x))
        x = self.fc4(x)
        return x

# Example usage
model = DeepNN(input_size, hidden_size, output_size)
print(model)
'''

PRINTED_BY_PYTORCH = '''\
ShallowNN(
  (fc1): Linear(in_features=10, out_features=5, bias=True)
  (fc2): Linear(in_features=5, out_features=2, bias=True)
)
DeepNN(
  (fc1): Linear(in_features=10, out_features=5, bias=True)
  (fc2): Linear(in_features=5, out_features=5, bias=True)
  (fc3): Linear(in_features=5, out_features=5, bias=True)
  (fc4): Linear(in_features=5, out_features=2, bias=True)
)
'''

NEW_IMPORTS = {
    "import torch": "",
    "import torch.nn as nn": "from tinygrad_nuc import nn",
    "import torch.nn.functional as F": "import tinygrad_nuc.nn.functional as F",
}


def run_slide():
    """The names that the slide's code leaves behind."""
    names = {"__name__": "slide"}
    exec("\n".join(NEW_IMPORTS.get(line, line) for line in SLIDE.splitlines()), names)
    return names


def test_the_slide_prints_what_pytorch_prints(capsys):
    run_slide()
    assert capsys.readouterr().out == PRINTED_BY_PYTORCH


@pytest.mark.parametrize(("name", "layers", "parameters"), [("ShallowNN", 2, 67), ("DeepNN", 4, 127)])
def test_the_slides_networks_have_the_parameters_of_the_lecture(name, layers, parameters):
    model = run_slide()[name](10, 5, 2)
    assert sum(p.numel() for p in model.parameters()) == parameters
    assert len(list(model.children())) == layers


def in_numpy(layers, x):
    """Matrix product, bias, and all but the last time max(·, 0), in float64."""
    for i, layer in enumerate(layers):
        x = x @ layer.weight.data.astype(float).T + layer.bias.data.astype(float)
        x = np.maximum(x, 0) if i < len(layers) - 1 else x
    return x


@pytest.mark.parametrize("name", ["ShallowNN", "DeepNN"])
def test_the_slides_networks_compute_what_numpy_computes(name):
    tn.manual_seed(5)
    model = run_slide()[name](10, 5, 2)
    x = np.random.default_rng(5).normal(size=(7, 10)).astype(np.float32)
    y = model(tn.tensor(x))
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.data, in_numpy(list(model.children()), x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["ShallowNN", "DeepNN"])
def test_the_slides_networks_pass_the_right_gradient_to_every_parameter(name):
    tn.manual_seed(5)
    model = run_slide()[name](10, 5, 2).double()
    rng, step = np.random.default_rng(5), 1e-6
    x = tn.tensor(rng.normal(size=(50, 10)))
    model(x).sum().backward()
    for key, parameter in model.named_parameters():
        start, direction = parameter.data.copy(), rng.normal(size=parameter.shape)
        ends = []
        for sign in (1, -1):
            parameter.data = start + sign * step * direction
            ends.append(model(x).sum().item())
        parameter.data = start
        slope = np.sum(parameter.grad.data * direction)
        assert slope == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6), key
        assert abs(slope) > 0.01, key

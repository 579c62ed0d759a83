"""Graphs to draw, and where their parts lie."""



import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.inspect.stepping.drawing import draw
from tinygrad_nuc.inspect.stepping.layout import arrange, place


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 3)

    def forward(self, x):
        return tn.relu(self.b(tn.relu(self.a(x))) + x)


def residual_loss():
    tn.manual_seed(1)
    net = nn.Sequential(Residual(), Residual())
    with tn.inspect.record():
        loss = (net(tn.randn(4, 3)) ** 2).mean()
        loss.backward()
    return loss


def graph_of(loss):
    return draw(loss).graph


def placed(graph, folded=()):
    sizes = {f"n{i}": (100.0 + 7 * (i % 5), 58.0) for i in range(len(graph.nodes))}
    sizes |= {f"g{i}": (120.0, 44.0) for i in range(len(graph.groups))}
    return place(graph, arrange(graph), folded, sizes)


def inside(a, b):
    return b[0] <= a[0] and b[1] <= a[1] and a[0] + a[2] <= b[0] + b[2] and a[1] + a[3] <= b[1] + b[3]


def apart(a, b):
    return a[0] + a[2] <= b[0] or b[0] + b[2] <= a[0] or a[1] + a[3] <= b[1] or b[1] + b[3] <= a[1]

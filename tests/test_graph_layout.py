"""Where the parts of a drawn graph go: nothing overlaps, edges pass no node, chains are straight."""

import itertools

import numpy as np
import pytest
from drawing_helpers import apart, graph_of, inside, placed, residual_loss
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.inspect.stepping.drawn_graph import Graph
from tinygrad_nuc.inspect.stepping.layout import (
    FAR,
    GAP,
    HEAD,
    arrange,
    crossings,
    ranks,
    reduce_crossings,
    spread,
)


@pytest.mark.parametrize("folded", [(), (0,), (1,), (4,), (1, 4), (2, 3, 5, 6)])
def test_nothing_overlaps_and_boxes_hold_what_is_theirs(folded):
    graph = graph_of(residual_loss())
    placement = placed(graph, folded)
    shown = {name: box for name, box in placement.boxes.items() if name[0] != "e"}
    for (name, a), (other, b) in itertools.combinations(shown.items(), 2):
        assert apart(a, b) or inside(a, b) or inside(b, a), (name, other)
    for i, group in enumerate(graph.group_of):
        chain = [box for box in graph.chain(group) if box != -1]
        if any(box in folded for box in chain):
            assert f"n{i}" not in shown
        else:
            assert all(inside(shown[f"n{i}"], shown[f"g{box}"]) for box in chain)
    assert all(inside(box, (0, 0, placement.width, placement.height)) for box in shown.values())


def test_results_lie_below_what_they_were_computed_from():
    graph = graph_of(residual_loss())
    boxes = placed(graph).boxes
    for u, v, _ in graph.edges:
        assert boxes[f"n{u}"][1] + boxes[f"n{u}"][3] < boxes[f"n{v}"][1]


def test_edges_pass_no_node():
    graph = graph_of(residual_loss())
    placement = placed(graph)
    nodes = {name: box for name, box in placement.boxes.items() if name[0] == "n"}
    for e, way in placement.ways.items():
        for x, y in way[1:-1]:
            assert not any(left < x < left + w and top < y < top + h for left, top, w, h in nodes.values()), e


def recurrent_loss():
    """Two weights that are used at every step, far apart."""
    w, u, h = tn.tensor(0.5, requires_grad=True), tn.tensor(0.3, requires_grad=True), tn.tensor(0.0)
    for i in range(8):
        h = tn.tanh(w * h + u * tn.tensor(float(i)))
    return h


def attention():
    tn.manual_seed(0)
    q, k, v, z = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4), tn.randn(3, 4)
    with tn.inspect.record():
        queries, keys, values = q(z), k(z), v(z)
        result = (nn.functional.softmax(queries @ keys.T, dim=-1) @ values).sum()
        result.backward()
    return result


@pytest.mark.parametrize("loss", [residual_loss, recurrent_loss, attention])
@pytest.mark.parametrize("folded", [(), (0,)])
def test_drawn_edges_touch_no_node_that_is_not_theirs(loss, folded):
    graph = graph_of(loss())
    placement = placed(graph, [box for box in folded if box < len(graph.groups)])
    nodes = {name: box for name, box in placement.boxes.items() if name[0] == "n"}
    for e, route in placement.routes.items():
        ends = {graph.visible(u, folded) for u in graph.edges[e][:2]}
        assert (route[0], route[-1]) == (placement.ways[e][0], placement.ways[e][-1])
        for (x, y), (X, Y) in itertools.pairwise(route):        # the curve between them stays in their rectangle
            assert y <= Y
            for name, (left, top, w, h) in nodes.items():
                beside = max(x, X) <= left or left + w <= min(x, X) or Y <= top or top + h <= y
                assert beside or name in ends and x == X, (e, name)


def test_edges_from_the_same_start_go_together_until_they_part():
    graph = graph_of(recurrent_loss())
    via = arrange(graph).via
    start = next(i for i, node in enumerate(graph.nodes) if node.kind == "parameter")
    ways = [via[e] for e, (u, _, _) in enumerate(graph.edges) if u == start]
    assert len(ways) == 8 and len(ways[-1]) > 8
    for way in ways:
        assert way == ways[-1][:len(way)]
    assert len({name for layer in arrange(graph).layers[-1] for name in layer if name[0] == "e"}) == \
        len({name for way in via.values() for name in way})


def test_a_chain_is_straight_and_arguments_come_from_left_to_right():
    tn.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1), nn.Sigmoid())
    with tn.inspect.record():
        loss = model(tn.ones(1, 2)).sum()
        loss.backward()
    graph = graph_of(loss)
    boxes = placed(graph).boxes
    chain = [boxes[f"n{i}"] for i, node in enumerate(graph.nodes) if node.operation is not None]
    middles = [x + w / 2 for x, _, w, _ in chain]
    assert max(middles) - min(middles) < 1e-6
    weight, bias = (boxes[f"n{i}"] for i, node in enumerate(graph.nodes) if node.name.startswith("model.0."))
    assert weight[0] + weight[2] <= bias[0]


def test_ranks_put_everything_right_above_its_first_use():
    pairs = {("a", "b"), ("b", "d"), ("c", "d"), ("x", "b"), ("x", "d")}
    assert ranks(["a", "x", "b", "c", "d"], pairs) == {"a": 0, "x": 0, "b": 1, "c": 1, "d": 2}


def test_crossings_are_counted_and_taken_away():
    below = {"a": ["y"], "b": ["x"], "c": ["x", "y"]}
    assert crossings([["a", "b", "c"], ["x", "y"]], below) == 2
    assert crossings([["b", "c", "a"], ["x", "y"]], below) == 0
    layers = [["a", "b", "c"], ["x", "y"]]
    reduce_crossings(layers, [(u, v) for u, ends in below.items() for v in ends])
    assert crossings(layers, below) == 0


@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(0.1, 1)), min_size=1, max_size=6))
def test_spread_keeps_order_and_distance_and_is_the_nearest_to_what_is_wanted(items):
    wanted, weights = map(list, zip(*items, strict=True))
    sizes = [(10.0 + i, 12.0, 5.0) for i in range(len(wanted))]
    places = np.array(spread(wanted, sizes, weights))
    room = np.array([sizes[i][1] + GAP + sizes[i + 1][0] for i in range(len(wanted) - 1)])
    assert (np.diff(places) >= room - 1e-9).all()

    def cost(p):
        return float(np.sum(np.array(weights) * (p - wanted) ** 2))

    rng = np.random.default_rng(0)
    for _ in range(30):                         # no allowed place nearby is better
        other = places + rng.normal(size=len(places)) * 0.3
        if (np.diff(other) >= room).all():
            assert cost(other) >= cost(places) - 1e-9


def test_a_value_that_is_used_a_thousand_times_is_drawn_in_good_time():
    h = tn.ones(2, requires_grad=True)
    y = h
    for _ in range(300):
        y = tn.sin(y) + h
    graph = graph_of(y.sum())
    arrangement = arrange(graph)
    assert max(len(way) for way in arrangement.via.values()) <= FAR
    assert placed(graph).width < 2000


def test_several_uses_by_one_result_are_several_edges():
    x = tn.tensor(2.0, requires_grad=True)
    graph = graph_of(x * x)
    assert graph.edges == [(0, 1, 0), (0, 1, 1)]
    ways = placed(graph).ways
    assert ways[0][0] == ways[1][0] and ways[0][-1][0] < ways[1][-1][0]


def test_parameters_live_with_the_module_that_uses_them_and_shared_ones_outside():
    layer = nn.Linear(2, 2)
    with tn.inspect.record():
        y = layer(layer(tn.ones(1, 2))).sum()
        y.backward()
    graph = Graph(tn.inspect.trace(y).nodes)
    where = {node.name: graph.group_of[i] for i, node in enumerate(graph.nodes) if node.kind == "parameter"}
    assert where == {"layer.weight": -1, "layer.bias": -1}          # two calls use them
    assert [group.label for group in graph.groups] == ["layer: Linear"] * 2


def test_titles_have_room_above_what_a_box_holds():
    graph = graph_of(residual_loss())
    boxes = placed(graph).boxes
    for i, group in enumerate(graph.group_of):
        if group != -1:
            assert boxes[f"n{i}"][1] >= boxes[f"g{group}"][1] + HEAD


class Noisy(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(tn.ones(2))

    def forward(self, x):
        x = x * self.w
        return x + tn.ones(2)


def test_a_leaf_that_is_made_inside_of_a_module_comes_above_it():
    noisy = Noisy()
    with tn.inspect.record():
        loss = noisy(tn.ones(2)).sum()
        loss.backward()
    graph = graph_of(loss)
    boxes = placed(graph).boxes
    leaf = next(i for i, node in enumerate(graph.nodes) if node.kind == "leaf" and node.name != "x" and i > 0)
    assert boxes[f"n{leaf}"][1] < boxes["g0"][1]


def test_thousands_of_boxes_are_arranged_in_good_time():
    net = nn.Sequential(*(nn.Sequential(nn.Linear(1, 1), nn.Tanh()) for _ in range(700)))
    with tn.inspect.record():
        loss = net(tn.ones(1, 1)).sum()
        loss.backward()
    graph = graph_of(loss)
    assert len(graph.groups) == 2101 and len(graph.nodes) == 2802
    placement = placed(graph)
    assert len([name for name in placement.boxes if name[0] == "n"]) == len(graph.nodes)

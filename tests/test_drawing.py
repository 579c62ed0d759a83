"""Drawn graphs: where things go, what is written on them, and that no name can break the file."""

import itertools
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.inspect.stepping.drawing import draw
from tinygrad_nuc.inspect.stepping.drawn_graph import Graph
from tinygrad_nuc.inspect.stepping.layout import FAR, GAP, HEAD, arrange, crossings, place, ranks, reduce_crossings, spread

SVG = "{http://www.w3.org/2000/svg}"


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


# ---------------------------------------------------------------------- layout

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


def test_small_arrays_are_shown_in_full():
    w = tn.tensor([[-0.12345, 0.12345], [0.67891, -0.67891]], requires_grad=True)
    loss = (w * tn.tensor([[-12.345, 0.1], [0.1, -3.4567]])).sum()
    written = texts(draw(loss).svg)
    assert written.count("[[−0.1235, 0.1235], [0.6789, −0.6789]]") == 1
    assert written.count("∇ [[−12.35, 0.1], [0.1, −3.457]]") == 1 and not any("…" in line for line in written)


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


# ---------------------------------------------------------------------- the picture

def texts(svg):
    return [element.text for element in ElementTree.fromstring(svg).iter(SVG + "text")]


def test_the_picture_shows_names_values_and_gradients():
    x1, x2 = tn.tensor(1.0), tn.tensor(2.0)
    w1, w2 = tn.tensor(0.5, requires_grad=True), tn.tensor(-0.25, requires_grad=True)
    y_hat = x1 * w1 + x2 * w2
    drawing = draw(y_hat)
    assert sorted(texts(drawing.svg)) == sorted([
        "x1", "1", "w1", "0.5", "∇ 1", "v1 = Multiply", "0.5", "∇ 1",
        "x2", "2", "w2", "−0.25", "∇ 2", "v2 = Multiply", "−0.5", "∇ 1", "y_hat = Add", "0", "∇ 1"])
    paths = [e for e in ElementTree.fromstring(drawing.svg).iter(SVG + "path") if "marker-end" in e.attrib]
    assert len(paths) == len(drawing.graph.edges) == 6
    assert drawing._repr_svg_() == drawing.svg


def test_a_value_with_two_uses_shows_what_each_of_them_sends():
    a = tn.tensor(3.0, requires_grad=True)
    written = texts(draw(a * a * a).svg)
    assert written.count("∇ 27") == 1
    assert written.count("9") == 4              # the value of a · a, and what three uses send to a


def test_gradients_are_those_that_hooks_leave_and_that_several_results_send():
    w = tn.tensor(2.0, requires_grad=True)
    h = w * 2.0
    h.register_hook(lambda g: g * 10.0)
    loss = h * h

    def gradients(drawing):
        return {drawing.labels[node]: g.item() for node, g in drawing.totals.items()}

    assert gradients(draw(loss)) == {"loss": 1.0, "h": 80.0, "w": 160.0}
    with tn.inspect.record() as recording:
        y = w ** 2
        z = y * 3.0
        tn.grad([y, z], [w])
    assert gradients(draw(recording)) == {"y": 4.0, "z": 1.0, "w": 16.0}


def test_without_gradients_and_of_several_elements_the_values_alone_are_drawn():
    w = tn.tensor([1.0, 2.0], requires_grad=True)
    assert "∇" not in draw(w * w).svg and "∇" not in draw((w * w).sum(), gradients=False).svg
    assert "∇" in draw((w * w).sum()).svg


def test_modules_can_be_folded():
    loss = residual_loss()
    whole, folded = draw(loss), draw(loss, fold=True)
    assert "net: Sequential" in texts(folded.svg) and len(texts(folded.svg)) < len(texts(whole.svg)) / 3
    assert "net.0: Residual" in texts(whole.svg) and "net.0: Residual" not in texts(folded.svg)


def test_dot_is_the_same_graph():
    loss = residual_loss()
    drawing = draw(loss)
    dot = drawing.dot
    assert len(re.findall(r"^ *n\d+ \[", dot, re.M)) == len(drawing.graph.nodes)
    edges = re.findall(r"^ *n(\d+) -> n(\d+)$", dot, re.M)
    assert {(int(u), int(v)) for u, v in edges} == {(u, v) for u, v, _ in drawing.graph.edges}
    assert dot.count("subgraph") == len(drawing.graph.groups) and dot.count("{") == dot.count("}")


def test_names_cannot_break_the_picture():
    class Evil(nn.Module):
        def forward(self, x):
            return x * 2.0

    Evil.__name__ = "<script>alert('1')</script>\"]; x -> y"
    evil = Evil()
    with tn.inspect.record():
        y = evil(tn.tensor(1.0, requires_grad=True))
        y.backward()
    drawing = draw(y)
    assert any("<script>" in text for text in texts(drawing.svg))   # as text: the file is still well-formed
    assert "<script" not in drawing.svg
    assert r"\"]; x -> y" in drawing.dot


def test_files_are_written_by_their_ending(tmp_path):
    drawing = draw(tn.tensor(2.0, requires_grad=True) * 3.0)
    assert drawing.save(tmp_path / "a.svg").read_text("utf-8") == drawing.svg
    assert drawing.save(tmp_path / "a.dot").read_text("utf-8") == drawing.dot
    for name in ("a.png", "a"):
        with pytest.raises(ValueError, match="written as .svg or .dot"):
            drawing.save(tmp_path / name)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.dot", "a.svg"]


def test_titles_have_room_above_what_a_box_holds():
    graph = graph_of(residual_loss())
    boxes = placed(graph).boxes
    for i, group in enumerate(graph.group_of):
        if group != -1:
            assert boxes[f"n{i}"][1] >= boxes[f"g{group}"][1] + HEAD


# ---------------------------------------------------------------------- the same with matplotlib

def test_a_plot_of_the_graph_shows_the_same_within_its_axes():
    loss = residual_loss()
    drawing, drawn = draw(loss), tn.plots.computational_graph(loss)
    names = set(drawing.labels[node] for node in drawing.graph.nodes)
    assert set(drawn.nodes) == set(drawn.texts) == names
    assert len(drawn.arrows) == len(drawing.graph.edges) and len(drawn.modules) == len(drawing.graph.groups)
    assert [t.get_text() for t in drawn.texts["loss"]] == ["loss = Divide", drawing_value(loss), "∇ 1"]
    ax = drawn.arrows[0].axes
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert bottom > top == left == 0                                # downwards, as in the drawing
    for patch in drawn.nodes.values():
        box = patch.get_path().get_extents()
        assert left <= box.x0 < box.x1 <= right and top <= box.y0 < box.y1 <= bottom


def drawing_value(loss):
    return f"{loss.item():.4g}"


def test_a_plot_of_the_graph_goes_beside_other_plots():
    picture, axes = tn.plots.grid(2)
    w = tn.tensor(2.0, requires_grad=True)
    y = w * 3.0
    drawn = tn.plots.computational_graph(y, gradients=False, ax=axes[1])
    assert drawn.arrows[0].axes is axes[1] and not axes[0].patches
    assert [t.get_text() for t in drawn.texts["y"]] == ["y = Multiply", "6"]
    folded = tn.plots.computational_graph(residual_loss(), fold=True)
    assert len(folded.modules) == 1 and "net.0.a.weight" not in folded.nodes


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

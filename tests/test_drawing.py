"""Drawn graphs: what is written on them, and that no name can break the file."""

import re
from xml.etree import ElementTree

import pytest
from drawing_helpers import residual_loss

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.inspect.stepping.drawing import draw

SVG = "{http://www.w3.org/2000/svg}"


def test_small_arrays_are_shown_in_full():
    w = tn.tensor([[-0.12345, 0.12345], [0.67891, -0.67891]], requires_grad=True)
    loss = (w * tn.tensor([[-12.345, 0.1], [0.1, -3.4567]])).sum()
    written = texts(draw(loss).svg)
    assert written.count("[[−0.1235, 0.1235], [0.6789, −0.6789]]") == 1
    assert written.count("∇ [[−12.35, 0.1], [0.1, −3.457]]") == 1 and not any("…" in line for line in written)


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


def test_without_gradients_whatever_is_drawn():
    w = tn.tensor(2.0, requires_grad=True)
    with tn.inspect.record() as recording:
        loss = w * w
        loss.backward()
    for x in (loss, recording, tn.inspect.trace(loss), lambda: w * w):
        assert "∇ 4" in draw(x).dot and "∇" not in draw(x, gradients=False).dot
    assert "∇" not in draw(lambda: w * tn.ones(3)).dot              # of several elements
    with pytest.raises(TypeError, match="expects a result .*not a int"):
        draw(3, gradients=False)


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

"""The step-through page, in a browser: where things are drawn, boxes that open, thousands of nodes."""

import re

import numpy as np
import player_pages
import pytest
from browser_helpers import go_to, opened
from player_pages import drawn, flat

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.inspect import record
from tinygrad_nuc.inspect.stepping.drawn_graph import box_size, node_size
from tinygrad_nuc.inspect.stepping.layout import arrange, place
from tinygrad_nuc.inspect.stepping.player import traces_of
from tinygrad_nuc.inspect.stepping.steps import Backward

browser, pages = player_pages.browser, player_pages.pages         # fixtures


def test_positions_are_those_of_python_for_whatever_is_folded(browser, pages):
    recording, path = pages("cnn")
    trace = traces_of(recording)[0]
    graph = drawn(trace)
    arrangement = arrange(graph)
    sizes = {f"n{i}": node_size(trace.labels[node], node) for i, node in enumerate(graph.nodes)}
    sizes |= {f"g{i}": box_size(group) for i, group in enumerate(graph.groups)}
    with opened(browser, path) as page:
        def compare(folded):
            placement = place(graph, arrangement, folded, sizes)
            shown = page.evaluate("""() => Object.fromEntries([...document.querySelectorAll(
                ".node, .box.folded, .fold")].map(x => [x.dataset.node ? "n" + x.dataset.node : "g" + x.dataset.box,
                ["left", "top", "width", "height"].map(side => parseFloat(x.style[side]))]))""")
            expected = {name: box for name, box in placement.boxes.items() if name[0] != "e"}
            assert set(shown) == set(expected)
            for name, box in expected.items():
                open_ = name[0] == "g" and int(name[1:]) not in folded          # of an open box, the button is its head
                n = 3 if open_ else 4
                np.testing.assert_allclose(shown[name][:n], box[:n], atol=0.01)
            frames = page.evaluate("""() => [...document.querySelectorAll(".box.open")].map(x =>
                ["left", "top", "width", "height"].map(side => parseFloat(x.style[side])))""")
            opened_ = [expected[f"g{i}"] for i in range(len(graph.groups)) if i not in folded and f"g{i}" in expected]
            np.testing.assert_allclose(np.reshape(frames, (-1, 4)), np.reshape(opened_, (-1, 4)), atol=0.01)
            paths = page.evaluate("""() => Object.fromEntries([...document.querySelectorAll(".edge")].flatMap(x =>
                x.dataset.edges.split(" ").map(e => [e, x.getAttribute("d")])))""")
            assert {int(e) for e in paths} == set(placement.ways)
            for e, way in placement.ways.items():
                points = re.findall(r"(-?[\d.e-]+) (-?[\d.e-]+)", paths[str(e)].partition(" M")[0])
                np.testing.assert_allclose(np.array([points[0], points[-1]], float), [way[0], way[-1]], atol=0.01)
                assert {round(x, 2) for x, _ in way} <= {round(float(x), 2) for x, _ in points}
            world = page.evaluate("""() => ["width", "height"].map(side =>
                parseFloat(document.getElementById("world").style[side]))""")
            np.testing.assert_allclose(world, [placement.width, placement.height], atol=0.01)

        compare(set())
        page.click("#fold-all")
        every = set(range(len(graph.groups)))
        compare(every)
        page.click("[data-box='0']")
        compare(every - {0})
        page.click("[data-box='2']")
        compare(every - {0, 2})
        page.click("#open-all")
        compare(set())
        page.click("[data-box='2']")
        compare({2})


def test_boxes_fold_and_open_and_tell_it(browser, pages):
    recording, path = pages("xor")
    trace = traces_of(recording)[0]
    with opened(browser, path) as page:
        whole = page.locator("[data-box='0']")
        assert whole.get_attribute("aria-expanded") == "true"
        assert whole.get_attribute("aria-label") == "model: Sequential, 4 operations"
        nodes = page.locator(".node").count()
        whole.focus()
        page.keyboard.press("Enter")
        assert whole.get_attribute("aria-expanded") == "false"
        assert whole.evaluate("x => x === document.activeElement")
        assert page.locator(".node").count() < nodes
        for p, step in enumerate(trace, 1):                 # in a folded box, the box is lit, and all is told
            if isinstance(step, Backward):
                go_to(page, p)
                inside = trace.labels[step.to].startswith("model.")
                lit = page.locator("#world .lit[aria-current='step']")
                assert lit.count() == 1
                if inside:
                    assert lit.get_attribute("data-box") == "0"
                assert step.rule_name in page.locator("#step-section h2").inner_text()
        whole.focus()
        page.keyboard.press("Space")
        assert page.locator(".node").count() == nodes
        page.click("#fold-all")
        assert page.locator("#world .fold").count() == 0
        page.click("#open-all")
        assert page.locator("#world .box.folded").count() == 0


def test_the_first_view_shows_all_and_the_current_node_comes_into_view(browser, pages):
    recording, path = pages("xor")
    with opened(browser, path) as page:
        fits = """() => {
            const pane = document.getElementById("scroller");
            return pane.scrollHeight <= pane.clientHeight && pane.scrollWidth <= pane.clientWidth;
        }"""
        assert page.evaluate(fits)
        for p in range(1, len(traces_of(recording)[0]) + 1):
            go_to(page, p)
            assert page.evaluate("""() => {
                const lit = document.querySelector("#world button.lit").getBoundingClientRect();
                const pane = document.getElementById("scroller").getBoundingClientRect();
                return lit.top >= pane.top && lit.bottom <= pane.bottom
                    && lit.left >= pane.left && lit.right <= pane.right && scrollY === 0;
            }""")
        assert not page.evaluate(fits)
        page.click("#fit")
        assert page.evaluate(fits)
        before = page.locator(".node").first.bounding_box()["width"]
        page.keyboard.press("+")
        assert page.locator(".node").first.bounding_box()["width"] == pytest.approx(before * 1.25)
        page.click("#zoom-out")
        assert page.locator(".node").first.bounding_box()["width"] == pytest.approx(before)


def test_two_thousand_nodes_open_and_step_in_time(browser, pages):
    _, path = pages("2000")
    with opened(browser, path) as page:
        assert page.locator(".node").count() == 2000
        opening = page.evaluate("performance.timing.domComplete - performance.timing.fetchStart")
        assert opening < 4000
        times = page.evaluate("""async () => {
            const slider = document.getElementById("step"), times = [];
            for (const part of [0.1, 0.5, 0.9]) {
                slider.value = Math.floor(slider.max * part);
                slider.dispatchEvent(new Event("input"));
                for (let i = 0; i < 7; i++) {
                    await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
                    const start = performance.now();
                    document.getElementById("next").click();
                    document.body.offsetHeight;                                 // with its layout
                    times.push(performance.now() - start);
                }
            }
            return times;
        }""")
        assert np.median(times) < 100
        stops = set()                                       # the graph is one of them
        for _ in range(40):
            page.keyboard.press("Tab")
            stops.add(page.evaluate("document.activeElement.id || document.activeElement.className || 'body'"))
        assert len(stops) < 25


def test_more_nodes_fold_in_runs(browser, pages):
    recording, path = pages("3000")
    with opened(browser, path) as page:
        assert page.locator(".node").count() == 1                               # the leaf that all of them use
        boxes = page.locator(".box.folded")
        assert boxes.count() == 55                                              # of √3001 operations each
        assert boxes.first.get_attribute("aria-label") == "v1 … v37, 55 operations"
        boxes.first.click()
        assert page.locator(".node").count() == 56
        go_to(page, 56)
        assert page.locator("#world .lit[aria-current='step']").get_attribute("data-box") == "1"


def test_runs_keep_modules_and_come_after_the_box_that_holds_them():
    class Chain(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(tn.ones(2))
            self.part = nn.Tanh()

        def forward(self, x):
            for _ in range(700):
                x = self.part(x) + self.w + 1.0
            return x

    model = Chain()
    with record() as recording:
        model(tn.ones(2)).sum().backward()
    trace = traces_of(recording)[0]
    graph = drawn(trace)
    assert all(group.parent < i for i, group in enumerate(graph.groups))
    runs = [group for group in graph.groups if "…" in group.label]
    assert len(runs) == 46 and {graph.groups[run.parent].label for run in runs} == {"model: Chain"}
    assert runs[0].label == "v2 … v32"
    assert max(map(len, graph.contents().values())) < 800
    sizes = {f"n{i}": (10.0, 10.0) for i in range(len(graph.nodes))}
    sizes |= {f"g{i}": (20.0, 20.0) for i in range(len(graph.groups))}
    folded = {i for i, group in enumerate(graph.groups) if group.parent != -1}
    assert len([name for name in place(graph, arrange(graph), folded, sizes).boxes if name[0] == "g"]) == 47


def test_few_nodes_have_no_runs():
    trace = traces_of(flat(10))[0]
    assert drawn(trace).groups == []

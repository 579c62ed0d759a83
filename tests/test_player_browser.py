"""The step-through page, in a browser: every number on it, at every step, is the engine's."""

import re

import numpy as np
import player_pages
import pytest
from browser_helpers import JOURNEY, assert_brief, assert_by_hand, assert_full, given, go_to, numbers, opened
from player_pages import drawn

from tinygrad_nuc.inspect.stepping.player import traces_of
from tinygrad_nuc.inspect.stepping.steps import Backward, Forward, Start, Store, Update

browser, pages = player_pages.browser, player_pages.pages         # fixtures


@pytest.mark.parametrize("name", ["xor", "cnn"])
def test_every_number_at_every_step_is_the_engines(browser, pages, name):
    recording, path = pages(name)
    with opened(browser, path) as page:
        for r, trace in enumerate(traces_of(recording), 1):
            graph = drawn(trace)
            number = {node: i for i, node in enumerate(graph.nodes)}
            edges = {(u, v, k): e for e, (u, v, k) in enumerate(graph.edges)}
            go_to(page, 0, r)
            seen = page.evaluate(JOURNEY)
            assert len(seen) == len(trace) + 1
            values = {node: node.value for node in graph.nodes if node.operation is None}
            gradients, shares = {}, {}
            for p, now in enumerate(seen):
                if p:
                    step = trace[p - 1]
                    outcome = apply(step, values, gradients, shares, edges, number)
                    assert_full(now["outcome"], outcome)
                    target = step.to if isinstance(step, Backward) else step.node
                    assert now["lit"] == [number[target]]
                    if isinstance(step, Backward):
                        assert now["source"] == step.source
                for node, i in number.items():
                    if node in values:
                        assert_brief(now["values"][i], values[node])
                    else:
                        assert now["values"][i] == "·"
                    if node in gradients:
                        assert_brief(now["gradients"][i], gradients[node])
                    else:
                        assert now["gradients"][i] == ""
                assert {int(e) for e in now["shares"]} == set(shares)
                for e, text in now["shares"].items():
                    assert_brief(text, shares[int(e)])


def apply(step, values, gradients, shares, edges, number):
    """What a step changes, from the trace alone; returns the value it gives."""
    if isinstance(step, Forward):
        values[step.node] = step.node.value
        return step.node.value
    if isinstance(step, Start):
        gradients[step.node] = step.gradient
        return step.gradient
    if isinstance(step, Backward):
        node_inputs = [x for x in step.node.inputs[:step.position] if hasattr(x, "operation")]
        gradients[step.to] = step.total
        shares[edges[number[step.to], number[step.node], len(node_inputs)]] = step.fitted
        return step.total
    if isinstance(step, Update):
        values[step.node] = step.after.value
        return step.after.value
    assert isinstance(step, Store)
    return step.after


@pytest.mark.parametrize("name", ["xor", "cnn"])
def test_a_selected_node_shows_its_value_and_its_gradient_in_full(browser, pages, name):
    recording, path = pages(name)
    trace = traces_of(recording)[0]
    graph = drawn(trace)
    totals = {step.to: step.total for step in trace if isinstance(step, Backward)}
    last = next(p for p, step in enumerate(trace, 1) if isinstance(step, Store)) - 1            # before any update
    with opened(browser, path) as page:
        go_to(page, last)
        for i, node in enumerate(graph.nodes):
            page.evaluate("i => document.querySelector(`[data-node='${i}']`).click()", i)
            section = page.locator("#node-section")
            assert section.locator("h2").inner_text() == trace.labels[node]
            assert_full(given(section, "value"), node.value)
            if node in totals:
                shown = given(section, f"∂{trace.labels[graph.nodes[-1]]}/∂{trace.labels[node]}")
                assert_full(shown, totals[node])
                uses = [step for step in trace if isinstance(step, Backward) and step.to is node]
                rows = section.locator(".uses tbody tr")
                assert rows.count() == len(uses)
                for row, step in zip(rows.all(), uses, strict=True):
                    cells = row.locator("td").all_text_contents()
                    assert cells[:2] == [f"{trace.labels[step.node]} as {step.argument}", step.rule_name]
                    assert_brief(cells[2], step.fitted)
            if node.operation is not None:
                assert section.locator(".formula").inner_text() == node.formula
                assert section.locator(".place").last.inner_text() in node.line
            rules = [step for step in trace if isinstance(step, Backward) and step.node is node]
            assert section.locator("details .source").all_text_contents() == [step.source for step in rules]


def test_a_gradient_grows_use_by_use(browser, pages):
    recording, path = pages("xor")
    trace = traces_of(recording)[0]
    second = next(step for step in trace if isinstance(step, Backward) and trace.use[step])             # v4 · v4
    node = second.to
    first = next(step for step in trace if isinstance(step, Backward) and step.to is node)
    with opened(browser, path) as page:
        i = drawn(trace).nodes.index(node)
        page.evaluate("i => document.querySelector(`[data-node='${i}']`).click()", i)
        for step, shares in ((trace[trace.steps.index(first) - 1], []), (first, [first]), (second, [first, second])):
            go_to(page, trace.steps.index(step) + 1)
            cells = page.locator(".uses tbody td:last-child").all_text_contents()
            for cell, share in zip(cells, shares, strict=False):
                assert_brief(cell, share.fitted)
            assert cells[len(shares):] == ["not yet"] * (2 - len(shares))
            total = page.locator(".uses tfoot td").inner_text()
            if shares:
                assert_brief(total, shares[-1].total)
            else:
                assert total == "·"
        page.click("#show-step")
        assert "Added to what had arrived" in page.locator("#step-section").inner_text()
        assert_full(given(page.locator("#step-section"), "share"), second.fitted)
        left, right = page.locator("#step-section .hand").last.locator("td").inner_text().split(" = ")
        np.testing.assert_allclose([numbers(left.replace("− ", "−"))[0], numbers(right)[0]],
                                   [first.total.item(), second.total.item()], rtol=1e-5)



def test_every_line_for_a_calculator_is_right(browser, pages):
    recording, path = pages("xor")
    checked = 0
    with opened(browser, path) as page:
        for r in range(1, 5):
            go_to(page, 0, r)
            for now in page.evaluate(JOURNEY):
                assert not any("≈" in line for line in now["hand"])
                checked += sum(map(assert_by_hand, now["hand"]))
    assert checked > 120


def test_the_calculator_finds_a_wrong_line():
    assert assert_by_hand("(−0.852583) · 0.573709 · e^(−|−0.296999|) / (1 + e^(−|−0.296999|)) = −0.208514") == 1
    assert assert_by_hand("√(2) · 2^2 − 1 = 4.65685") == 1
    for wrong in ("0.5 · 0.3 = 0.152", "1 / 3 = 0.333335", "2 − 2 = 1e−05", "7 · 10 = 71"):
        with pytest.raises(AssertionError):
            assert_by_hand(wrong)

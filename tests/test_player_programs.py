"""The step-through page, in a browser: programs that are not a plain training of a small network."""

import player_pages
import pytest
from browser_helpers import JOURNEY, assert_brief, go_to, opened
from player_pages import drawn

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.inspect import player, record
from tinygrad_nuc.inspect.stepping.player import traces_of
from tinygrad_nuc.inspect.stepping.steps import Backward, Forward, Start, Update, source_of

browser, pages = player_pages.browser, player_pages.pages         # fixtures


@pytest.mark.parametrize("gradients, top", [(None, "(y + z)"), ([tn.tensor(2.0), tn.tensor(1.0)], "L")])
def test_a_pass_from_two_results_says_what_it_differentiates(browser, tmp_path, gradients, top):
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    with record() as recording:
        y, z = (x * 2.0).sum(), (x ** 2).sum()
        tn.grad([y, z], x, gradients)
    trace, = traces_of(recording)
    with opened(browser, player(recording, tmp_path / "page.html")) as page:
        assert "forward from the leaves to y and z, then" in page.locator("#step-section").inner_text()
        seen = page.evaluate(JOURNEY)
        for p, step in enumerate(trace, 1):
            if isinstance(step, (Start, Backward)):
                of = trace.labels[step.to if isinstance(step, Backward) else step.node]
                assert f"backward: ∂{top}/∂{of} = " in seen[p]["status"]
        go_to(page, next(p for p, step in enumerate(trace, 1) if isinstance(step, Start)))
        text = page.locator("#step-section").inner_text()
        assert ("L is the sum of gradient · result" if top == "L" else "is their sum, (y + z)") in text
        assert page.locator("#round-slider").is_hidden()


def test_passes_without_updates_are_no_training_steps(browser, tmp_path):
    x = tn.tensor(3.0, requires_grad=True)
    with record() as recording:
        slope, = tn.grad(x ** 3, x, create_graph=True)
        tn.grad(slope, x)
    with opened(browser, player(recording, tmp_path / "page.html")) as page:
        assert page.locator("#round-text").inner_text() == "backward pass 1 of 2"
        assert page.locator("#step-section h2").inner_text() == "Backward pass 1 of 2"
        go_to(page, 10, 2)
        assert page.locator("#status").inner_text().endswith("∂slope/∂x = 18, through ConstantPower.grad_a of v1")


def test_an_optimizer_with_a_memory_does_not_look_like_a_calculation(browser, tmp_path):
    w = tn.tensor([2.0, 1.0], requires_grad=True)
    optimizer = tn.optim.Adam([w], lr=0.1)
    with record() as recording:
        (w * w).sum().backward()
        optimizer.step()
    with opened(browser, player(recording, tmp_path / "page.html")) as page:
        page.click("#last")
        text = page.locator("#step-section").inner_text()
        assert "Before, and the change" in text and "here it is only read off" in text
        assert "With the numbers put in" not in text
        assert "m_hat" in text and "type: ignore" not in text
        assert "moved by Adam(" in page.locator("#status").inner_text()


def test_what_a_pass_began_with_is_told_beside_the_shares(browser, tmp_path):
    x = tn.tensor(2.0, requires_grad=True)
    with record() as recording:
        y = x ** 2
        z = y * 3.0
        tn.grad([y, z], x)
    with opened(browser, player(recording, tmp_path / "page.html")) as page:
        go_to(page, 5)                                          # z sends 3 to y, which has 1 already
        text = page.locator("#step-section").inner_text()
        assert "1 + 3 = 4" in text and "the rest is what the backward pass began with" in text
        page.locator("#step-section .link", has_text="y").first.click()
        assert page.locator(".uses tr").all_inner_texts()[1:] == [
            "what the backward pass began with\t1", "z as a\tMultiply.grad_a\t3", "sum so far\t4"]


def test_a_weight_that_moves_twice(browser, tmp_path):
    w = tn.tensor(2.0, requires_grad=True)
    with record() as recording:
        (w * w).backward()
        tn.optim.SGD([w], lr=0.25).step()
        with tn.no_grad():
            w -= 0.5
    with opened(browser, player(recording, tmp_path / "page.html")) as page:
        page.click("#last")
        assert page.locator("#step-section .given").all_inner_texts() == [
            "before = 1", "gradient, w.grad = 4", "after = 0.5"]
        assert page.evaluate("document.querySelectorAll('#world .node').length") == 2


def test_plain_sgd_is_calculated(browser, pages):
    recording, path = pages("xor")
    trace = traces_of(recording)[0]
    with opened(browser, path) as page:
        go_to(page, next(p for p, step in enumerate(trace, 1) if isinstance(step, Update)))
        text = page.locator("#step-section").inner_text()
        assert "With the numbers put in" in text and "read off" not in text
        assert page.locator("#status").inner_text().split(", ", 1)[1].count("moved by SGD(lr=0.1) from [") == 1


def test_what_computes_a_value_is_shown(browser, pages):
    recording, path = pages("xor")
    trace = traces_of(recording)[0]
    with opened(browser, path) as page:
        for p, step in enumerate(trace, 1):
            if isinstance(step, Forward):
                go_to(page, p)
                assert page.locator("#step-section .source").last.text_content() == source_of(
                    step.node.operation.forward)
                assert page.locator("#step-section .place").last.inner_text().startswith("tinygrad_nuc/operations/")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_elements_that_no_calculator_gets(browser, tmp_path):
    w = tn.tensor([0.0, -1.0, 1000.0], requires_grad=True)
    with record() as recording:
        w.log().sum().backward()
    with opened(browser, player(recording, tmp_path / "page.html")) as page:
        go_to(page, 1)
        assert page.locator("#step-section .hand td").all_inner_texts() == ["ln(1000) = 6.90776"]
        text = page.locator("#step-section").inner_text()
        assert "and 2 more elements without a line: not finite, or too long to be written out" in text
    w = tn.full((17,), 2.0, requires_grad=True)
    with opened(browser, player(lambda: (w * 3.0).sum(), tmp_path / "page.html")) as page:
        go_to(page, 1)
        assert "and 1 more element in the same way" in page.locator("#step-section").inner_text()


LEFT = """([selector, text]) => {         // where each letter of a text stands
    const walk = document.createTreeWalker(document.querySelector(selector), NodeFilter.SHOW_TEXT), range = new Range();
    while (walk.nextNode()) {
        const at = walk.currentNode.data.indexOf(text);
        if (at < 0) continue;
        return [...text].map((_, i) => {
            range.setStart(walk.currentNode, at + i);
            range.setEnd(walk.currentNode, at + i + 1);
            return range.getBoundingClientRect().left;
        });
    }
}"""


def test_names_from_right_to_left_leave_the_numbers_as_they_are(browser, tmp_path):
    משקל = tn.tensor([3.0, 4.0], requires_grad=True)
    with record() as recording:
        תוצאה = (משקל * 1.0).sum()
        תוצאה.backward()
        tn.optim.SGD([משקל], lr=0.1).step()
    with opened(browser, player(recording, tmp_path / "page.html")) as page:
        go_to(page, 1)
        for selector in ("#step-section .given", "#world .node"):
            letters = page.evaluate(LEFT, [selector, "[3, 4]"])
            assert letters == sorted(letters), selector
        page.click("#last")
        letters = page.evaluate(LEFT, ["#status", "= [2.9, 3.9]"])
        assert letters == sorted(letters)


def test_the_focus_is_not_lost_when_what_had_it_is_gone(browser, pages):
    _, path = pages("xor")
    with opened(browser, path) as page:
        go_to(page, 2)
        page.focus("#step-section .link")
        page.keyboard.press("ArrowRight")
        assert page.input_value("#step") == "3"
        assert page.evaluate("document.activeElement.id") == "panel"
        page.focus("#step-section .link")
        page.keyboard.press("Enter")
        assert page.locator("#node-section").is_visible()
        assert page.evaluate("document.activeElement.id") == "panel"


class Nested(nn.Module):
    """Modules in modules, so that the boxes are far wider than the nodes."""

    def __init__(self, depth):
        super().__init__()
        self.inner = Nested(depth - 1) if depth else nn.Linear(2, 2)

    def forward(self, x):
        return tn.tanh(self.inner(x))


def test_what_a_value_is_computed_from_is_in_view(browser, tmp_path):
    model = Nested(5)
    with record() as recording:
        (model(tn.ones(1, 2)) ** 2).sum().backward()
    trace, = traces_of(recording)
    nodes = drawn(trace).nodes
    with opened(browser, player(recording, tmp_path / "page.html")) as page:
        pane = page.locator("#scroller").bounding_box()
        for p, step in enumerate(trace, 1):
            if not isinstance(step, Forward):
                continue
            go_to(page, p)
            for node in (step.node, step.node.parents[0]):
                box = page.locator(f"[data-node='{nodes.index(node)}']").bounding_box()
                assert pane["x"] <= box["x"] and box["x"] + box["width"] <= pane["x"] + pane["width"]
                assert pane["y"] <= box["y"] and box["y"] + box["height"] <= pane["y"] + pane["height"]


def test_larger_on_a_wide_screen(browser, pages):
    _, path = pages("xor")
    sizes = []
    for width, height in ((1280, 800), (1920, 1080)):
        with opened(browser, path, width, height) as page:
            go_to(page, 3)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate("document.documentElement.scrollHeight") <= height
            sizes.append([page.locator(selector).first.bounding_box()["height"] for selector in
                          (".node.result", "#show-step", "#next")])
    for at_desk, projected in zip(*sizes, strict=True):
        assert 1.15 <= projected / at_desk <= 1.3


def test_of_hundreds_of_uses_those_around_the_step_are_listed(browser, pages):
    recording, path = pages("2000")
    trace, = traces_of(recording)
    leaf = next(node for node in trace.nodes if trace.labels[node] == "a")
    shares = [(p, step) for p, step in enumerate(trace, 1) if isinstance(step, Backward) and step.to is leaf]
    assert len(shares) == 667
    with opened(browser, path) as page:
        page.evaluate("i => document.querySelector(`[data-node='${i}']`).click()", drawn(trace).nodes.index(leaf))
        for k, done in ((0, 0), (333, 50), (666, 100)):
            p, step = shares[k]
            go_to(page, p - (k == 0))
            cells = page.locator(".uses tbody td:last-child").all_text_contents()
            assert len(cells) == 100
            assert sum(cell != "not yet" for cell in cells) == done
            if done:
                assert_brief(cells[done - 1], step.fitted)
                assert_brief(page.locator(".uses tfoot td").inner_text(), step.total)
        assert "100 of its 667 uses" in page.locator("#node-section").inner_text()


def test_the_list_of_keys_opens_at_its_beginning(browser, pages):
    _, path = pages("xor")
    with opened(browser, path, 390, 600) as page:
        page.keyboard.press("?")
        assert page.evaluate("(help => [help.open, help.scrollTop])(document.getElementById('help'))") == [True, 0]
        assert page.locator("#help h2").bounding_box()["y"] >= 0

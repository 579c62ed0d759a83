"""The step-through page, in a browser: any size and light, keyboard, screen reader, paper, hostile names."""

import re

import player_pages
import pytest
from browser_helpers import CONTRAST, go_to, opened
from player_pages import drawn

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.inspect import player, record
from tinygrad_nuc.inspect.stepping.player import traces_of
from tinygrad_nuc.inspect.stepping.steps import Backward, Store

browser, pages = player_pages.browser, player_pages.pages         # fixtures


SIZES = [(1280, 800), (390, 844)]


@pytest.mark.parametrize("width, height", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_and_can_be_read(browser, pages, width, height, scheme):
    recording, path = pages("cnn")
    trace = traces_of(recording)[0]
    first = {kind: p for p, step in reversed(list(enumerate(trace, 1))) for kind in [type(step)]}
    with opened(browser, path, width, height, color_scheme=scheme) as page:
        behind = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", behind)[:3])) > 600) == (scheme == "light")
        for p in (0, *first.values(), len(trace)):
            go_to(page, p)
            for tab in ("#show-node", "#show-step"):
                page.click(tab)
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                assert page.evaluate("""() =>
                    [...document.querySelectorAll("#panel *, #controls *, header *")].every(x =>
                    x.closest(".narrow") || x.getBoundingClientRect().right <= innerWidth + 0.5)""")
            if p:
                for selector in (".node.lit .name", ".node.lit .value", "#status", "#step-section h2"):
                    assert page.evaluate(CONTRAST, [selector, "color"]) >= 4.5, selector
        go_to(page, first[Backward])
        assert page.evaluate(CONTRAST, [".source", "color"]) >= 4.5
        go_to(page, first[Store])
        assert page.evaluate(CONTRAST, [".node.lit .gradient", "color"]) >= 4.5
        page.evaluate("document.querySelector('.node.parameter').click()")
        pairs = [".node:not(.lit) .value", ".node:not(.lit) .gradient", ".node:not(.lit) .shape", ".fold .name > span",
                 "#controls #next", "#controls #previous", "#help-button", "#show-step", "#show-node", "#status",
                 "#node-section .note", "#node-section h3", ".given.gradient pre", ".given.value pre",
                 "#phases .forward", "#phases .backward", "#phases .storing", ".uses code", ".uses th",
                 "#step-text", "#speed", "kbd"]
        for selector in pairs:
            assert page.evaluate(CONTRAST, [selector, "color"]) >= 4.5, selector
        pane = page.evaluate(CONTRAST, [".shares text", "fill"])
        assert pane >= 4.5
        for selector, side in ((".node.parameter", "borderLeftColor"), (".node.result:not(.lit)", "borderTopColor")):
            assert page.evaluate(CONTRAST, [selector, side]) >= 3, selector


def test_roles_names_and_focus(browser, pages):
    recording, path = pages("xor")
    with opened(browser, path) as page:
        assert page.locator("html").get_attribute("lang") == "en"
        for role, count in (("main", 1), ("banner", 1), ("complementary", 1), ("status", 1), ("slider", 2)):
            assert page.get_by_role(role).count() == count, role
        assert [page.get_by_role("heading", level=level).count() for level in (1, 2)] == [1, 1]
        for p in (0, 5, 12, 20):
            go_to(page, p)
            unnamed = page.evaluate("""() =>
                [...document.querySelectorAll("button, select, input, summary")].filter(x =>
                !(x.getAttribute("aria-label") || x.textContent.trim() || x.labels?.length)).length""")
            assert unnamed == 0
        step = page.get_by_role("slider", name="step 20 of")
        assert step.get_attribute("aria-valuetext") == page.locator("#status").inner_text()
        assert page.locator("#status").get_attribute("aria-live") == "polite"
        assert re.fullmatch(r"Step 20 of \d+, backward: ∂loss/∂\S+ = .*, through \w+\.grad_\w+ of v\d+",
                            page.locator("#status").text_content())
        assert re.fullmatch(r"v2, Tanh of v1, value \[\[.*\]\], gradient \[\[.*\]\]",
                            page.locator(".node", has_text="Tanh").get_attribute("aria-label"))
        page.evaluate("document.activeElement.blur()")
        seen = []
        for _ in range(16):
            page.keyboard.press("Tab")
            seen.append(page.evaluate("""() => { const style = getComputedStyle(document.activeElement);
                return [document.activeElement.id || document.activeElement.dataset.node, style.outlineStyle,
                        parseFloat(style.outlineWidth)]; }"""))
        assert all(style == "solid" and width >= 3 for _, style, width in seen)
        order = [name for name, _, _ in seen]
        assert order[:8] == ["help-button", "first", "previous", "play", "next", "last", "speed", "step"]
        lit = page.locator(".node.lit").get_attribute("data-node")
        assert lit in order                                 # the graph's stop is the current node


def test_j_and_k_go_through_the_graph_and_enter_explains(browser, pages):
    recording, path = pages("xor")
    trace = traces_of(recording)[0]
    labels = [trace.labels[node] for node in drawn(trace).nodes]
    with opened(browser, path) as page:
        page.focus("[data-node='0']")
        met = [page.evaluate("document.activeElement.dataset.node")]
        for _ in range(len(labels) + 5):
            page.keyboard.press("j")
            met.append(page.evaluate("document.activeElement.dataset.node"))
        nodes = [int(i) for i in dict.fromkeys(met) if i is not None]
        assert nodes == list(range(len(labels)))
        assert page.locator("#world [tabindex='0']").count() == 1
        page.keyboard.press("k")
        page.keyboard.press("Enter")
        assert page.locator("#node-section h2").inner_text() == labels[-2]
        assert page.locator("#world [aria-pressed='true']").get_attribute("data-node") == str(len(labels) - 2)
        assert page.locator("#show-node").inner_text() == f"Selected: {labels[-2]}"
        page.keyboard.press("ArrowRight")                   # a step, and the selection stays
        assert page.input_value("#step") == "1"
        assert page.locator("#node-section h2").inner_text() == labels[-2]


def test_prints_on_white_with_a_list_of_all_steps(browser, pages):
    recording, path = pages("xor")
    trace = traces_of(recording)[0]
    with opened(browser, path, color_scheme="dark") as page:
        go_to(page, 5)
        page.emulate_media(media="print", color_scheme="dark")
        page.wait_for_selector("#printed table")
        assert page.locator("#controls").is_hidden() and page.locator("#tools").is_hidden()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.evaluate(CONTRAST, ["#status", "color"]) > 7
        rows = page.locator("#printed tbody tr")
        assert rows.count() == len(trace)
        assert rows.first.locator("td").all_text_contents()[:3] == ["1", "forward", "v1"]
        assert page.locator("#printed [aria-current] td").first.inner_text() == "5"
        assert page.locator("#sizer").bounding_box()["width"] <= 680.5
        assert page.pdf(format="A4").startswith(b"%PDF")
        page.emulate_media(media="screen")
        assert page.locator("#printed").is_hidden()


def test_a_long_list_of_steps_is_not_printed(browser, pages):
    _, path = pages("3000")
    with opened(browser, path) as page:
        page.emulate_media(media="print")
        page.wait_for_selector("#printed p")
        assert "too long to print" in page.locator("#printed p").inner_text()


def test_moves_only_where_it_may(browser, pages):
    _, path = pages("xor")
    for motion, expected in (("reduce", "none"), ("no-preference", "forward")):
        with opened(browser, path, reduced_motion=motion) as page:
            page.click("#next")
            assert page.evaluate("getComputedStyle(document.querySelector('.edge.lit')).animationName") == expected


HOSTILE = "</script><img src=x onerror=alert(1)>{{data}}<!--"


def test_names_are_only_ever_text(browser, tmp_path):
    class Net(nn.Module):
        def forward(self, x):
            return x * 2.0

    x, net = tn.tensor(3.0, requires_grad=True), Net()
    with record() as recording:
        y = net(x)
        y.backward()
    for step in recording.steps:
        step.node.name = HOSTILE
        step.node.line = f"{HOSTILE}.py:3: {HOSTILE}"
        if step.node.call is not None:
            step.node.call.path = step.node.call.module = HOSTILE
    path = player(recording, tmp_path / "page.html", HOSTILE)
    with opened(browser, path) as page:
        for p in range(int(page.get_attribute("#step", "max")) + 1):
            go_to(page, p)
        page.click(".node >> nth=0")
        page.emulate_media(media="print")
        assert page.locator("img").count() == 0
        assert page.title() == HOSTILE
        assert page.locator("h1").inner_text() == HOSTILE
        assert page.locator(".node .name b").first.text_content() == HOSTILE
        assert page.locator(".fold .name").text_content() == f"{HOSTILE}: {HOSTILE}"
        policy = page.locator("meta[http-equiv='Content-Security-Policy']").get_attribute("content")
        assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
        assert page.locator("script").count() == 2


def test_nothing_but_its_own_script_may_run(browser, pages):
    _, path = pages("xor")
    text = path.read_text("utf-8")
    changed = path.with_name("changed.html")
    changed.write_text(text.replace("</body>", "<script>document.title = 'taken over'</script></body>"), "utf-8")
    context = browser.new_context()
    page = context.new_page()
    page.goto(changed.as_uri())
    assert page.title() == "XOR"
    context.close()

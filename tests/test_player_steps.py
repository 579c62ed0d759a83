"""The step-through page, in a browser: going through the steps by buttons, keys and sliders, and playing."""

import numpy as np
import player_pages
from browser_helpers import JOURNEY, assert_brief, assert_by_hand, assert_full, given, go_to, numbers, opened, snapshot
from player_pages import drawn

import tinygrad_nuc as tn
from tinygrad_nuc.inspect.stepping.player import traces_of
from tinygrad_nuc.inspect.stepping.steps import Hooked, Start, Store, Update

browser, pages = player_pages.browser, player_pages.pages         # fixtures


def test_forth_and_back_is_where_it_was(browser, pages):
    _, path = pages("xor")
    with opened(browser, path) as page:
        seen = [snapshot(page)]
        for _ in range(30):
            page.click("#next")
            seen.append(snapshot(page))
        assert all(before != after for before, after in zip(seen, seen[1:], strict=False))
        for before in seen[-2::-1]:
            page.click("#previous")
            assert snapshot(page) == before
        for jump in (17, 3, 25, 0):
            go_to(page, jump)
            assert snapshot(page) == seen[jump]


def test_first_last_and_on_to_the_next_training_step(browser, pages):
    recording, path = pages("xor")
    length = len(traces_of(recording)[0])
    with opened(browser, path) as page:
        step, round_ = page.locator("#step-text"), page.locator("#round-text")
        assert step.inner_text() == f"before step 1 of {length}"
        assert page.locator("#status").inner_text() == f"Before step 1 of {length}: only the leaves have values."
        assert "next step" in page.locator("#step-section .hint").inner_text()
        assert page.locator("#previous").get_attribute("aria-disabled") == "true"
        page.click("#last")
        assert (step.inner_text(), round_.inner_text()) == (f"step {length} of {length}", "training step 1 of 4")
        page.click("#next")
        assert (step.inner_text(), round_.inner_text()) == (f"before step 1 of {length}", "training step 2 of 4")
        page.click("#previous")
        assert (step.inner_text(), round_.inner_text()) == (f"step {length} of {length}", "training step 1 of 4")
        page.click("#first")
        assert step.inner_text() == f"before step 1 of {length}"
        go_to(page, length, 4)
        assert page.locator("#next").get_attribute("aria-disabled") == "true"
        before = snapshot(page)
        page.click("#next", force=True)
        assert snapshot(page) == before


def test_keys(browser, pages):
    recording, path = pages("xor")
    length = len(traces_of(recording)[0])
    with opened(browser, path) as page:
        def pressed(*keys):
            for key in keys:
                page.keyboard.press(key)
            return page.input_value("#step"), page.input_value("#round")

        assert pressed("ArrowRight", "ArrowRight", "ArrowRight") == ("3", "1")
        assert pressed("ArrowLeft") == ("2", "1")
        assert pressed("ArrowDown", "PageDown") == ("2", "3")
        assert pressed("ArrowUp") == ("2", "2")
        assert pressed("PageUp", "PageUp") == ("2", "1")
        assert pressed("End") == (str(length), "1")
        assert pressed("Home") == ("0", "1")
        assert pressed("Control+ArrowRight", "Alt+f") == ("0", "1")
        page.focus("#step")                                 # whose own keys these are
        assert pressed("ArrowRight") == ("1", "1")
        assert pressed("ArrowUp") == ("2", "1")
        page.focus("#speed")
        assert pressed("ArrowRight", "End", "Home") == ("2", "1")
        page.focus("#next")
        assert pressed("Space") == ("3", "1")
        assert pressed("Enter") == ("4", "1")
        assert pressed("ArrowRight") == ("5", "1")
        page.keyboard.press("?")
        assert page.locator("#help").get_attribute("open") is not None
        assert pressed("ArrowRight") == ("5", "1")
        page.keyboard.press("Escape")
        assert page.locator("#help").get_attribute("open") is None


def test_play_goes_through_all_training_steps_and_pauses(browser, pages):
    recording, path = pages("xor")
    length = len(traces_of(recording)[0])
    with opened(browser, path, clock=True) as page:
        button = page.locator("#play")
        page.keyboard.press("Space")
        assert button.get_attribute("aria-label") == "Pause"
        page.clock.run_for(1200 * 3 + 100)
        assert page.input_value("#step") == "3"
        page.keyboard.press("Space")
        page.clock.run_for(5000)
        assert (page.input_value("#step"), button.get_attribute("aria-label")) == ("3", "Play")
        page.select_option("#speed", label="fast")
        button.click()
        page.clock.run_for(400 * (length - 3 + 2) + 100)
        assert (page.input_value("#step"), page.input_value("#round")) == ("1", "2")
        page.clock.run_for(400 * length * 4)
        assert (page.input_value("#step"), page.input_value("#round")) == (str(length), "4")
        assert button.get_attribute("aria-label") == "Play"
        button.click()                                      # once more, from the start
        page.clock.run_for(500)
        assert (page.input_value("#step"), page.input_value("#round")) == ("1", "1")
        page.keyboard.press("ArrowRight")                   # who goes on himself does not want it to play
        page.clock.run_for(5000)
        assert page.input_value("#step") == "2"


def test_scrubbing_training_steps_shows_a_weight_move(browser, pages):
    recording, path = pages("xor")
    all_traces = traces_of(recording)
    label = "model.2.weight"
    weights = [next(node for node in trace.nodes if trace.labels[node] == label) for trace in all_traces]
    with opened(browser, path) as page:
        i = [all_traces[0].labels[node] for node in drawn(all_traces[0]).nodes].index(label)
        page.click(f"[data-node='{i}']")
        for r, (trace, node) in enumerate(zip(all_traces, weights, strict=True), 1):
            go_to(page, 0, r)
            section = page.locator("#node-section")
            assert_full(given(section, "value"), node.value)
            assert section.locator("tr[aria-current] th").inner_text() == str(r)
            update = next(step for step in trace if isinstance(step, Update) and step.node is node)
            go_to(page, trace.steps.index(update) + 1)
            assert_full(given(section, "value"), update.after.value)
            assert_full(given(section, f"{label}.grad"), update.gradient)
            cells = section.locator("tr[aria-current] td").all_text_contents()
            for cell, array in zip(cells, (node.value, update.gradient, update.after.value), strict=True):
                assert_brief(cell, array)
        page.select_option("#element", label="[0, 1]")
        values = [node.value[0, 1] for node in weights] + [update.after.value[0, 1]]
        drawing = page.locator("figure svg")
        words = drawing.get_attribute("aria-label")
        assert words.startswith(f"{label}[0, 1]: values ")
        np.testing.assert_allclose(numbers(words.split("values ")[1].split(";")[0]), values, rtol=6e-4)
        heights = [float(circle.get_attribute("cy")) for circle in drawing.locator("circle").all()]
        np.testing.assert_allclose((heights[0] - np.array(heights)) / np.ptp(heights),
                                   (np.array(values) - values[0]) / np.ptp(values), atol=1e-3)
        page.focus("#panel")
        page.keyboard.press("ArrowLeft")                    # the choice stays when one goes on
        assert page.locator("#element").input_value() == "1"


def test_several_passes_hooks_and_unknown_lines(browser, pages):
    recording, path = pages("twice")
    with opened(browser, path) as page:
        seen = page.evaluate(JOURNEY)
        statuses = [now["status"] for now in seen]
        trace = traces_of(recording)[0]
        assert len(seen) == len(trace) + 1
        hooked = next(p for p, step in enumerate(trace, 1) if isinstance(step, Hooked))
        assert "a hook, instead of 1" in statuses[hooked]
        starts = [p for p, step in enumerate(trace, 1) if isinstance(step, Start)]
        for p in starts:                                    # nothing is left of the pass before
            assert seen[p]["shares"] == {}
            assert [text for text in seen[p]["gradients"] if text] == ["∂ 1"]
        stores = [p for p, step in enumerate(trace, 1) if isinstance(step, Store)]
        for p in stores:
            assert_full(seen[p]["outcome"], trace[p - 1].after)
            assert_by_hand(seen[p]["hand"][0]) if seen[p]["hand"] else None
        go_to(page, 1)
        assert "with tn.inspect.record():" in page.locator("#step-section").inner_text()

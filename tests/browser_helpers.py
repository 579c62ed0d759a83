"""Help for the tests of pages in a browser: starting one, opening a page in it, and reading what stands there."""

import math
import os
import re
import shutil
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

REQUIRED = os.environ.get("TINYGRAD_NUC_BROWSER") == "required"


def missing(what):
    """Skip, unless a browser has to be there."""
    (pytest.fail if REQUIRED else pytest.skip)(f"{what} is missing, and the page is tested in a browser")


@contextmanager
def chromium():
    """A browser without a window; the tests are skipped where there is none."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright")
    with sync_playwright() as playwright:
        program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        if program is None and not Path(playwright.chromium.executable_path).exists():
            missing("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(browser, path, width=1280, height=800, clock=False, **options):
    """A page, which must neither complain on the console nor ask for anything but itself."""
    options = {"reduced_motion": "reduce", "viewport": {"width": width, "height": height}, **options}
    context = browser.new_context(**options)
    page = context.new_page()
    complaints, requests = [], []
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}") or dialog.dismiss())
    page.on("request", lambda request: requests.append(request.url))
    if clock:
        page.clock.install()
    page.goto(path.as_uri())
    yield page
    context.close()
    assert complaints == []
    assert requests == [path.as_uri()]


def go_to(page, step, round_=None):
    """Move the sliders, the one of the training steps first."""
    for name, value in (("round", round_), ("step", step)):
        if value is not None:
            page.evaluate("""([name, value]) => {
                const slider = document.getElementById(name);
                slider.value = value;
                slider.dispatchEvent(new Event("input"));
            }""", [name, value])


def given(section, name):
    """The value that stands beside, or below, a name."""
    label = section.page.locator(".label", has_text=re.compile(f"^{re.escape(name)}$"))
    found = section.locator(".given", has=label).first
    return (found.locator("pre") if found.locator("pre").count() else found.locator(".number")).text_content()


def snapshot(page):
    """All that is seen of the state, whatever the order in which it was drawn."""
    return page.evaluate("""() => ({
        nodes: [...document.querySelectorAll("#world button")].map(button =>
            [button.dataset.node ?? "box", button.className, button.getAttribute("aria-label"), button.textContent,
             button.getAttribute("aria-current")]),
        edges: Object.fromEntries([...document.querySelectorAll(".edge")].map(path =>
            [path.dataset.edges, [path.getAttribute("class"), path.getAttribute("d")]])),
        shares: Object.fromEntries([...document.querySelectorAll(".shares text")].map(text =>
            [text.dataset.edge, [text.textContent, text.getAttribute("x"), text.getAttribute("y")]])),
        status: document.getElementById("status").textContent,
        panel: document.getElementById("step-section").innerHTML,
        step: document.getElementById("step-text").textContent,
        round: document.getElementById("round-text").textContent,
    })""")


# What stands on the page at every step: one journey through all of them in the browser, since each call takes time.
JOURNEY = """() => {
    const slider = document.getElementById("step"), found = [];
    for (let p = 0; p <= Number(slider.max); p++) {
        slider.value = p;
        slider.dispatchEvent(new Event("input"));
        const texts = selector => [...document.querySelectorAll(selector)].map(x => x.textContent);
        const last = [...document.querySelectorAll("#step-section .given")].at(-1);
        found.push({
            status: document.getElementById("status").textContent,
            values: texts(".node .value"), gradients: texts(".node .gradient"),
            shares: Object.fromEntries([...document.querySelectorAll(".shares text")].map(x =>
                [x.dataset.edge, x.textContent])),
            lit: [...document.querySelectorAll(".node.lit")].map(x => Number(x.dataset.node)),
            hand: texts("#step-section .hand td"),
            source: texts("#step-section .source").join("\\n"),
            outcome: last ? (last.querySelector("pre") ?? last.querySelector(".number")).textContent : "",
        });
    }
    return found;
}"""


def numbers(text):
    """The numbers in a value, without the shape in front of it."""
    text = re.sub(r"^\s*[=∂]?\s*(\([\d, ]*\))?", "", text)
    return [float(x.replace("−", "-")) for x in re.findall(r"[-−]?(?:\d[\d.]*(?:e[-+−]?\d+)?|inf|nan)", text)]


def assert_brief(text, array):
    """A value in brief: all numbers of up to four, else the least and the largest, in four digits."""
    expected = array.ravel() if array.size <= 4 else np.array([array.min(), array.max()])
    if text.endswith("…"):                                  # cut where there was no more room
        found = numbers(text.rpartition(",")[0])
        assert len(found) >= 1
        expected = expected[:len(found)]
    else:
        found = numbers(text)
    np.testing.assert_allclose(found, expected, rtol=6e-4, atol=1e-30)


def assert_full(text, array):
    """A value in full, in six digits."""
    if "..." not in text:
        np.testing.assert_allclose(np.reshape(numbers(text), array.shape), array, rtol=6e-6, atol=1e-30)


def calculated(expression):
    """What a pocket calculator makes of an expression in the notation of a textbook."""
    text = expression.replace("e^(", "exp(").replace("·", "*").replace("−", "-").replace("^", "**")
    for sign, name in (("√(", "sqrt("), ("∛(", "cbrt("), ("ln(", "log("), ("log₂(", "log2(")):
        text = text.replace(sign, name)
    while "|" in text:                                      # the innermost bars first
        text, n = re.subn(r"\|([^|]*)\|", r"abs(\1)", text, count=1)
        assert n
    assert re.fullmatch(r"[\d.e\s+*/()a-z\-\d,]*", text), text
    return eval(text, {"__builtins__": {}}, {**vars(math), "abs": abs, "max": max, "min": min})


def assert_by_hand(line):
    """left = right, within one unit of the last digit on the right, of which at least three count."""
    if "=" not in line:
        return 0
    left, right = (part.strip() for part in line.split(" = "))
    shown, value = Decimal(right.replace("−", "-")), calculated(left)
    if shown == 0:
        unit = 1e-6 * max(map(abs, numbers(left)))
    else:
        unit = float(10 ** Decimal(min(shown.as_tuple().exponent, shown.adjusted() - 2)))
    assert abs(value - float(shown)) <= unit * (1 + 1e-9), line
    return 1


CONTRAST = """([selector, property]) => {
    const parse = text => { const [r, g, b, a] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a ?? 1]; };
    const linear = x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
    const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
    const element = document.querySelector(selector);
    if (!element) throw new Error(`nothing is ${selector}`);
    let behind = element;
    while (parse(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
    const a = light(parse(getComputedStyle(element)[property]));
    const b = light(parse(getComputedStyle(behind).backgroundColor));
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""

"""player: a page that plays the steps of a program, forward and backward, in a browser."""

import base64
import hashlib
import html
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

from ...engine.tensor import Tensor
from ...utils.files import atomic_write, given_path
from .page_data import page_data
from .recording import Recording
from .trace import excerpt, trace
from .trace_steps import Trace

PAGE = Path(__file__).parent / "page"
STYLES = ("player", "places")
SCRIPTS = ("layout", "edges", "timeline", "words", "graph_view", "panel", "history", "player")


def player(loss: Tensor | Recording | Trace | Callable[[], Tensor], path: str | os.PathLike = "player.html",
           title: str = "") -> Path:
    """Write a page that plays every step from the leaves to `loss` and back.

    It is one file that needs nothing else and opens in any browser: the graph with values on its nodes and gradients on
    its edges, the current step lit, and for every node its full value, its gradient as the sum over its uses, the
    formula with the numbers put in, and the source of the rule that ran.

    Parameters
    ----------
    loss : Tensor, Recording, Trace or function
        As for `trace`. Of a recording, every backward pass can be gone to by itself, with the updates after it of what
        it differentiates.
    path : str or path
        Of the page.
    title : str
        Its heading; the file's name by default.

    Returns
    -------
    pathlib.Path
        Where the page is.

    Raises
    ------
    RuntimeError
        As `trace` does.

    Examples
    --------
    >>> import tempfile
    >>> import tinygrad_nuc as tn
    >>> w = tn.tensor(2.0, requires_grad=True)
    >>> with tn.inspect.record() as recording, tempfile.TemporaryDirectory() as folder:
    ...     loss = (w - 5.0) ** 2
    ...     loss.backward()
    ...     page = tn.inspect.player(recording, folder + "/square.html")
    ...     "−6" in page.read_text("utf-8")                 # ∂L/∂w = 2 (w − 5)
    True
    """
    path = Path(given_path(path, "player"))
    text = page(loss, title or path.stem)
    with atomic_write(path) as file:
        file.write(text.encode("utf-8"))
    return path


def page(loss: Tensor | Recording | Trace | Callable[[], Tensor], title: str) -> str:
    """The page as text."""
    data = json.dumps(page_data(traces_of(loss), title), ensure_ascii=False)
    data = data.replace("<", "\\u003c")                                     # so that no tag begins or ends in it
    style = "\n".join((PAGE / f"{name}.css").read_text("utf-8") for name in STYLES)
    script = "\n".join((PAGE / f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    parts = {"title": html.escape(title), "data": data, "style": style, "style_hash": fingerprint(style),
             "script": script, "script_hash": fingerprint(script)}
    text = (PAGE / "player.html").read_text("utf-8")
    return re.sub(r"{{(\w+)}}", lambda found: parts[found[1]], text)        # once: what is put in stays as it is


def fingerprint(text: str) -> str:
    """By which a page's Content-Security-Policy knows the one script, and the one style, that may run in it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()


def traces_of(loss: Tensor | Recording | Trace | Callable[[], Tensor]) -> list[Trace]:
    """One trace for each training step."""
    if isinstance(loss, Recording) and loss.passes:
        return [excerpt(loss, part.outputs, [part]) for part in loss.passes]
    return [loss if isinstance(loss, Trace) else trace(loss)]

"""Why a gradient is None, or zero everywhere."""

import numpy as np

from ..engine import debugging
from ..engine.arrays import on_host
from ..engine.origins import HISTORY, Origin, last_pass
from ..engine.tensor import Tensor

ASK_DEBUG_MODE = "Run the forward and the backward pass inside `with tn.debug():` and ask again to be told where."

NO_TRACE = "(Values taken by .data, .item(), comparisons, rounding or argmax leave no trace, and pass no gradient on.)"


def why_no_gradient(t: Tensor) -> str:
    """Say in a sentence why ``t.grad`` is None, or why it is zero everywhere.

    Some reasons a tensor knows by itself: it holds integers, was detached, was computed under ``no_grad``, is not
    a leaf, or nobody has called ``backward`` yet. Where on the way from the loss the gradient was lost is known if
    the last forward and backward pass ran in debug mode (`tinygrad_nuc.debug`).

    Returns
    -------
    str
        The reason, and what to do about it.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> w = tn.tensor([1.0, 2.0], requires_grad=True)
    >>> tn.inspect.why_no_gradient(w).partition(".")[0]
    'no backward pass has reached this tensor: call backward() on a result computed from it'
    >>> print(tn.inspect.why_no_gradient(w.detach()))
    detached here: this is the result of .detach(), which cuts the history. Use the tensor it was made from.
    >>> with tn.debug():                                                    # doctest: +ELLIPSIS
    ...     x = tn.tensor([[-3.0, -1.0]])
    ...     tn.relu(x * w).sum().backward()
    ...     print(tn.inspect.why_no_gradient(w))
    zero everywhere: the gradient became zero here,
        Relu was computed at ...: tn.relu(x * w).sum().backward()
        a of shape (1, 2): from -3 to -2
    No input of the ReLU is above 0, so all its slopes are 0: it is dead for this batch.
    """
    if not isinstance(t, Tensor):
        raise TypeError(f"why_no_gradient: expects a tensor, not a {type(t).__name__}")
    if not t.requires_grad:
        return why_not_required(t)
    if t._grad is None:
        return why_none(t)
    if not np.any(on_host(t._grad.data)):
        return why_zero(t)
    return "there is a gradient, and it is not zero everywhere."


def why_not_required(t: Tensor) -> str:
    """The reasons that lie in a tensor that requires no gradient."""
    if t.dtype.kind != "f":
        return (f"integer: this tensor holds {t.dtype}, which cannot change by small steps, so it has no derivative. "
                "Convert it first, with .float() or .double().")
    cut = getattr(t, "cut", "")
    origin = getattr(t, "origin", None)
    line = f" at {origin.line}" if origin is not None and origin.line else ""
    if cut == "detach":
        return (f"detached here{line}: this is the result of .detach(), which cuts the history. "
                "Use the tensor it was made from.")
    if cut == "no_grad":
        return f"recorded under no_grad{line}: nothing was recorded. Compute it outside the no_grad block."
    return ("it does not require a gradient: nothing it was computed from has requires_grad=True. "
            "For a leaf, call requires_grad_() before it is used.")


def why_none(t: Tensor) -> str:
    """Why no gradient arrived at a tensor that requires one."""
    if not t.is_leaf and not t.retains_grad:
        return (f"it is a result of {t.operation.__name__}, and only leaves keep their gradient. "
                "Call retain_grad() on it before backward, or use register_hook.")
    origin = getattr(t, "origin", None)
    if origin is None and debugging.on:
        return f"not reached: in debug mode, no operation has used this tensor. {NO_TRACE}"
    if origin is None:
        return ("no backward pass has reached this tensor: call backward() on a result computed from it. If you did, "
                f"the result was not computed from this tensor, or the way is cut. {ASK_DEBUG_MODE}")
    after, line = origin.last_use
    if origin.reached_in == last_pass.number > 0:
        return why_reached_but_none()
    if after == last_pass.number:
        return f"not reached: backward() has not been called since this tensor was used at {line}"
    cuts = cuts_on_the_way(origin)
    if cuts is None:
        return (f"not reached: the tensor that backward() started from was not computed from this one, as far as the "
                f"last {HISTORY:,} operations tell. {NO_TRACE}")
    if not cuts:
        return ("not reached: it was used, but no gradient came back, because it began to require one only after that, "
                "or serves as a condition only.")
    reasons = {"detach": "detached", "no_grad": "computed under no_grad"}
    return "not reached: the way from the loss is cut here,\n    " + "\n    ".join(
        f"{reasons[cut.cut]} at {cut.line}" for cut in cuts)


def why_reached_but_none() -> str:
    """What became of a gradient that the last backward pass brought."""
    if last_pass.stored:
        return "the last backward pass reached it; its grad was set to None afterwards, as zero_grad() does."
    if last_pass.finished:
        return "the last pass was one of tn.grad, which returns gradients and stores none: call backward()."
    return "the last backward pass ended with an error before anything was stored: compute the result again."


def why_zero(t: Tensor) -> str:
    """Why only zeros arrived."""
    origin = getattr(t, "origin", None)
    if origin is None or not origin.zero_because:
        return ("zero everywhere: zeros arrived from every use, for instance through ReLUs whose inputs are all "
                f"negative (dead ReLUs), or values that were clamped or not selected; or grad was set to zero. "
                f"{ASK_DEBUG_MODE}")
    text = f"zero everywhere: the gradient became zero here,\n    {origin.zero_because}"
    if origin.zero_because.startswith("Relu "):
        text += "\nNo input of the ReLU is above 0, so all its slopes are 0: it is dead for this batch."
    return text


def cuts_on_the_way(target: Origin) -> list[Origin] | None:
    """Where the ways from the last outputs back to `target` are cut; None if there is no way, [] if one is open."""
    def reachable(across_cuts: bool) -> list[Origin]:
        seen, stack = {}, list(last_pass.outputs)
        while stack:
            origin = stack.pop()
            if id(origin) not in seen:
                seen[id(origin)] = origin
                if across_cuts or not origin.cut:
                    stack.extend(origin.inputs)
        return list(seen.values())

    if target in reachable(across_cuts=False):
        return []
    everything = reachable(across_cuts=True)
    if target not in everything:
        return None
    return [origin for origin in everything if origin.cut and leads_to(origin, target)]


def leads_to(start: Origin, target: Origin) -> bool:
    """Whether `start` was computed from `target` without a further cut in between."""
    seen, stack = set(), list(start.inputs)
    while stack:
        origin = stack.pop()
        if origin is target:
            return True
        if id(origin) not in seen and not origin.cut:
            seen.add(id(origin))
            stack.extend(origin.inputs)
    return False

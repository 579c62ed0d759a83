"""What the step-through page needs to know, as plain lists and dictionaries for JSON.

    {"title", "unit",                   # what a round is called: "training step" or "backward pass"
     "graphs": [graph, ...],            # the structure; training steps of the same structure share one
     "rounds": [round, ...],            # one for each backward pass
     "rules": {name: {source, place}}}  # of every derivative and operation that ran: "Tanh.grad_a", "Tanh.forward"

graph
    nodes: [{label, operation, formula, arguments: [...], inputs: [number of a node, or text], settings, line, group,
             kind: "parameter" | "leaf" | "result", shape, dtype, size: [width, height], brief?}]
    edges: [[from, to, k]]              # k: which of the node inputs of `to`
    groups: [{label, parent, size}]     # parent -1: the picture itself
    layers, links: {"-1": ..., "0": ...}, via: {edge: [...]}        # see layout.Arrangement
round
    graph: number, values: [value for each node]
    steps: [{kind, node, ...}]
value
    {brief, text, stats, hand}          # hand: lines for a calculator, [[place, line], ...], or absent
step
    start:    node, value, top (the L of ∂L/∂x in this pass)
    forward:  node
    backward: node, to, edge, rule (a key of "rules"), argument, arriving, share, fitted (if it differs), total, hand,
              sumhand (if something had arrived at `to` before), begun (if that is what the pass began with)
    hooked:   node, before, after
    store:    node, before, after, hand
    update:   node, before, after, gradient, optimizer, settings, source, hand
"""

import re
from typing import Any

import numpy as np

from . import by_hand
from .drawn_graph import Graph, box_size, node_size
from .layout import arrange
from .runs import box_runs
from .steps import Backward, Forward, Hooked, Node, Start, Store, Update, source_of
from .trace_steps import Trace
from .trace_text import brief, full
from .written import shown

SHOWN_BY_HAND = 16          # elements of an array that are calculated on the page


def page_data(traces: list[Trace], title: str) -> dict[str, Any]:
    """Everything the page shows."""
    graphs: list[dict[str, Any]] = []
    known: dict[str, int] = {}
    rules: dict[str, Any] = {}
    rounds = []
    for trace in traces:
        behind = set().union(*(y.behind() for y in trace.outputs))
        graph = Graph([node for node in trace.nodes if node in behind])
        box_runs(graph, trace.labels)
        data = graph_data(graph, trace)
        key = repr(data)
        if key not in known:
            known[key] = len(graphs)
            arrangement = arrange(graph)
            graphs.append({**data, "layers": arrangement.layers, "links": arrangement.links, "via": arrangement.via})
        rounds.append({"graph": known[key], **round_data(graph, trace, rules)})
    trained = all(any(isinstance(step, Update) for step in trace) for trace in traces[:-1])    # the last may be cut off
    return {"title": title, "unit": "training step" if trained else "backward pass", "graphs": graphs,
            "rounds": rounds, "rules": rules}


def graph_data(graph: Graph, trace: Trace) -> dict[str, Any]:
    """The structure, without the numbers."""
    number = {node: i for i, node in enumerate(graph.nodes)}
    nodes = []
    for i, node in enumerate(graph.nodes):
        operation = node.operation.__name__ if node.operation is not None else ""
        label = trace.labels[node]
        nodes.append({
            "label": label, "operation": operation, "formula": node.formula, "arguments": list(node.arguments),
            "inputs": [number[x] if isinstance(x, Node) else plain(x) for x in node.inputs],
            "settings": {name: plain(x) for name, x in node.settings.items()}, "line": shareable(node.line),
            "group": graph.group_of[i], "kind": node.kind, "shape": list(node.value.shape),
            "dtype": str(node.value.dtype), "size": node_size(label, node)})
    groups = [{"label": group.label, "parent": group.parent, "size": box_size(group)}
              for group in graph.groups]
    return {"nodes": nodes, "edges": graph.edges, "groups": groups}


def shareable(line: str) -> str:
    """``file:number: text`` without the folders of the machine where it ran; of our own files, from the package on."""
    path, separator, rest = line.partition(".py:")
    if not separator:                           # typed in at a prompt, say
        return line
    _, package, file = path.replace("\\", "/").rpartition("/tinygrad_nuc/")
    return (package[1:] + file if package else file.rpartition("/")[2]) + separator + rest


def plain(x: Any) -> str:
    """A number or setting as text; of arrays only the shape, since their values change between training steps."""
    if isinstance(x, tuple):
        return f"({', '.join(map(plain, x))})"
    return f"array of shape {tuple(x.shape)}" if hasattr(x, "shape") else repr(x)


def round_data(graph: Graph, trace: Trace, rules: dict[str, Any]) -> dict[str, Any]:
    """The numbers of one backward pass and what led to it."""
    number = {node: i for i, node in enumerate(graph.nodes)}
    edge = {(u, v, k): e for e, (u, v, k) in enumerate(graph.edges)}
    steps, arrived = [], {}                     # what the last backward pass has brought to each node
    for step in trace.steps:
        if step.node not in number:             # recorded while differentiating: part of another picture
            continue
        if isinstance(step, Update):
            number.setdefault(step.after, number[step.node])            # it may change again before it is used
        data: dict[str, Any] = {"kind": type(step).__name__.lower(), "node": number[step.node]}
        if isinstance(step, Forward):
            operation = step.node.operation
            add_rule(rules, f"{operation.__name__}.forward", operation.forward)
        elif isinstance(step, Start):
            arrived[step.node] = step.gradient
            data |= {"value": value(step.gradient), "top": trace.top[step]}
        elif isinstance(step, Backward):
            arrived[step.to] = step.total
            data |= backward_data(step, trace, rules)
            data |= {"to": number[step.to], "edge": edge[number[step.to], number[step.node], node_position(step)]}
        elif isinstance(step, Hooked):
            arrived[step.node] = step.after
            data |= {"before": value(step.before), "after": value(step.after)}
        elif isinstance(step, Store):
            of_it = arrived.get(step.node)
            data |= {"before": None if step.before is None else value(step.before), "after": value(step.after),
                     "hand": hand(by_hand.of_store(step, of_it)) if of_it is not None else []}
        elif isinstance(step, Update):
            data |= {"before": value(step.node.value), "after": value(step.after.value),
                     "gradient": None if step.gradient is None else value(step.gradient),
                     "optimizer": step.optimizer, "settings": {k: repr(x) for k, x in step.settings.items()},
                     "source": re.sub(r" *# type: ignore\S*", "", step.source), "hand": hand(by_hand.of_update(step))}
        steps.append(data)
    values = [value(node.value) | ({"hand": hand(by_hand.of_value(node))} if node.operation is not None else {})
              for node in graph.nodes]
    return {"values": values, "steps": steps}


def backward_data(step: Backward, trace: Trace, rules: dict[str, Any]) -> dict[str, Any]:
    """One use of a derivative rule."""
    add_rule(rules, step.rule_name, step.rule)
    data = {"rule": step.rule_name, "argument": step.argument, "arriving": value(step.arriving),
            "share": value(step.share), "total": value(step.total), "hand": hand(by_hand.of_share(step))}
    if step.fitted.shape != step.share.shape:
        data["fitted"] = value(step.fitted)
    if step in trace.before:
        data["sumhand"] = hand(by_hand.of_sum(trace.before[step], step.fitted, step.total))
        if trace.use[step] == 0:
            data["begun"] = value(trace.before[step])
    return data


def add_rule(rules: dict[str, Any], name: str, function: Any) -> None:
    """The text of a function that ran, and where it stands."""
    if name not in rules:
        code = getattr(getattr(function, "func", function), "__code__", None)       # None: NumPy's own, say
        place = shareable(f"{code.co_filename}:{code.co_firstlineno}") if code else ""
        rules[name] = {"source": source_of(function), "place": place}


def node_position(step: Backward) -> int:
    """Which of the inputs that are nodes the share is for."""
    return sum(isinstance(x, Node) for x in step.node.inputs[:step.position])


def value(x: np.ndarray) -> dict[str, Any]:
    """A value: short, in full, and in figures if it is large."""
    data = {"brief": brief(x), "text": full(x)}
    if x.size > 60 and x.dtype.kind == "f" and np.isfinite(x).all():
        data["stats"] = (f"mean {shown(float(x.mean()), 4)}, standard deviation {shown(float(x.std()), 4)}, "
                         f"from {shown(float(x.min()), 4)} to {shown(float(x.max()), 4)}")
    return data


def hand(lines: np.ndarray | None) -> list[list[str]]:
    """[place, line] of the first elements."""
    if lines is None:
        return []
    found = [(index, line) for index, line in np.ndenumerate(lines) if line]
    return [[f"[{', '.join(map(str, index))}]" if index else "", line] for index, line in found[:SHOWN_BY_HAND]]



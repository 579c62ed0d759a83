// Steps and nodes in words, and the small parts that the page is made of.

/** An element with attributes and children; strings become text, never markup. */
function h(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(name, value);
    element.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined));
    return element;
}

/** The same for SVG. */
function svg(tag, attributes = {}, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
}

/** A name that is written from right to left must not turn round the numbers beside it. */
function isolated(name) {
    return /[\u0590-\u08ff\ufb1d-\ufefc]/.test(name) ? `\u2068${name}\u2069` : name;
}

/** A value in a node: "0.5", "[1, 2]", and of many numbers the least and the largest. */
function short(value) {
    const range = value.brief.match(/^\([\d, ]*\) (.*)$/);         // its shape stands elsewhere
    if (range) return range[1];
    const bare = value.brief.replace(/\[+([^[\],]+)\]+/g, "$1");
    return bare.includes(",") && !bare.includes("[") ? `[${bare}]` : value.brief;
}

/** A value on an edge, where there is less room: a single number has no brackets. */
function shortest(value) {
    const text = short(value), single = text.match(/^\[+([^\s,[\]]+)\]+$/);
    return single ? single[1] : text;
}

/** 1 operation, 2 operations */
function counted(n, what) {
    return `${n} ${what}${n === 1 ? "" : "s"}`;
}

/** 2×3 */
function shapeText(shape) {
    return shape.join("×");
}

/** Tanh(v1) */
function called(graph, node) {
    const {operation, inputs} = graph.nodes[node];
    return `${operation}(${inputs.map(x => inputName(graph, x)).join(", ")})`;
}

function inputName(graph, x) {
    return Number.isInteger(x) ? graph.nodes[x].label : x;
}

/** SGD(lr=0.1): settings that are zero or off are left out. */
function optimizerText(step) {
    if (!step.optimizer) return "the program itself";
    const settings = Object.entries(step.settings)
        .filter(([name, x]) => name === "lr" || !["0", "0.0", "False", "None"].includes(x));
    return `${step.optimizer}(${settings.map(([name, x]) => `${name}=${x}`).join(", ")})`;
}

/** What the step gives: v1, ∂loss/∂v1, w.grad. */
function subject(timeline, p) {
    const step = timeline.steps[p - 1], label = timeline.graph.nodes[step.node].label, top = timeline.top(p);
    if (step.kind === "backward") return `∂${top}/∂${timeline.graph.nodes[step.to].label}`;
    if (step.kind === "start" || step.kind === "hooked") return `∂${top}/∂${label}`;
    return step.kind === "store" ? `${label}.grad` : label;
}

/** The value that the step gives. */
function outcome(timeline, p) {
    const step = timeline.steps[p - 1];
    return step.kind === "forward" ? timeline.round.values[step.node] : step.total ?? step.value ?? step.after;
}

/** How it comes about. */
function manner(timeline, p) {
    const {steps, graph} = timeline, step = steps[p - 1];
    if (step.kind === "forward") return called(graph, step.node);
    if (step.kind === "start") return "the backward pass begins";
    if (step.kind === "backward") return `through ${step.rule} of ${graph.nodes[step.node].label}`
        + (step.sumhand ? ", added to what had arrived" : "");
    if (step.kind === "hooked") return `a hook, instead of ${step.before.brief}`;
    if (step.kind === "store") return step.before ? `added to ${step.before.brief}` : "stored by backward()";
    return `moved by ${optimizerText(step)} from ${step.before.brief}`;
}

const KINDS = {forward: "forward", start: "backward", backward: "backward", hooked: "backward",
               store: "storing", update: "update"};

/** "step 12 of 38" */
function stepName(timeline, p) {
    return p === 0 ? `before step 1 of ${timeline.length}` : `step ${p} of ${timeline.length}`;
}

/** The step in one sentence, for the status line and for screen readers. */
function sentence(timeline, p) {
    if (p === 0) return `Before step 1 of ${timeline.length}: only the leaves have values.`;
    const how = manner(timeline, p), {kind} = timeline.steps[p - 1];
    const value = outcome(timeline, p).brief;
    const text = kind === "forward" ? `${subject(timeline, p)} = ${how} = ${value}`
                                    : `${subject(timeline, p)} = ${value}, ${how}`;
    return `Step ${p} of ${timeline.length}, ${KINDS[kind]}: ${text}`;
}

/** A node in one sentence: "v2, Tanh of v1, value 0.02, gradient 0.09". */
function nodeSentence(timeline, node, p) {
    const {graph} = timeline, {label, operation, inputs, kind} = graph.nodes[node];
    const value = timeline.value(node, p), gradient = timeline.gradient(node, p);
    const what = operation ? `${operation} of ${inputs.map(x => inputName(graph, x)).join(" and ")}` : kind;
    return `${label}, ${what}, ${value ? `value ${value.brief}` : "not yet computed"}`
        + (gradient ? `, gradient ${gradient.brief}` : "");
}

// The explanation beside the graph: the current step, or the selected node.

const MOST_LINES = 6;               // of a value that is shown in full beside a step
const MOST_USES = 100;              // of a node, in its table: of many hundreds each step would take too long
const MOST_BY_HAND = 16;            // lines for a calculator: page_data.SHOWN_BY_HAND

/** The current step, so that a student can follow it by hand. */
function stepSection(timeline, p, context) {
    if (p === 0) return startSection(timeline, context);
    const {graph} = timeline, step = timeline.steps[p - 1], node = graph.nodes[step.node], top = timeline.top(p);
    const title = subject(timeline, p);
    if (step.kind === "forward") return [
        h("h2", {}, h("code", {}, `${title} = `, calledWithLinks(graph, step.node, context))),
        formula(node),
        definitions(inputs(timeline, step.node)),
        byHand(timeline.round.values[step.node].hand, node.shape),
        result(title, timeline.round.values[step.node], "value"),
        programLine(node), whereInModel(graph, step.node),
        ruleSource("What computes it", `${node.operation}.forward`, context)];
    if (step.kind === "start") return [
        h("h2", {}, `The backward pass begins at ${node.label}`),
        h("p", {}, "From here the gradient goes back along the edges, from each result to what it was computed from."),
        top === node.label ? null : h("p", {}, top === "L"
            ? "The program gave it gradients to start with: L is the sum of gradient · result."
            : `It begins at several results at once; what is differentiated is their sum, ${top}.`),
        result(title, step.value, "gradient")];
    if (step.kind === "backward") return backwardSection(timeline, p, context);
    if (step.kind === "hooked") return [
        h("h2", {}, `A hook of ${node.label} replaces its gradient`),
        result(`${title}, as it arrived`, step.before, "gradient"),
        result(`${title}, from the hook`, step.after, "gradient")];
    if (step.kind === "store") return [
        h("h2", {}, h("code", {}, title), step.before ? ": more is added" : " is filled in"),
        h("p", {}, `backward() adds to ${title} what has arrived at ${node.label}, ∂${top}/∂${node.label}. `
            + (step.before ? "What was there already stays in the sum." : "It was None before.")),
        step.before ? result(`${title} before`, step.before, "gradient") : null,
        byHand(step.hand, node.shape), result(title, step.after, "gradient")];
    return [
        h("h2", {}, `${node.label} moves, by ${optimizerText(step)}`),
        result("before", step.before, "value"),
        step.gradient ? result(`gradient, ${node.label}.grad`, step.gradient, "gradient") : null,
        changeByHand(step, node.shape),
        result("after", step.after, "value"),
        step.source ? [h("h3", {}, "The optimizer's rule, which gives the change"), code(step.source)] : null];
}

/** Of plain SGD the lines calculate the change; of others, which remember earlier gradients, they only name it. */
function changeByHand(step, shape) {
    if (!step.hand.length || step.hand.some(([, line]) => line.includes("·"))) return byHand(step.hand, shape);
    const origin = step.optimizer ? "comes from the optimizer's rule, below" : "is what the program did";
    return [byHand(step.hand, shape, "Before, and the change"),
            h("p", {class: "note"}, `The change ${origin}; here it is only read off, as after − before.`)];
}

function startSection(timeline, context) {
    const parameters = timeline.graph.nodes.filter(node => node.kind === "parameter").length;
    const operations = timeline.graph.nodes.filter(node => node.kind === "result").length;
    const one = "The program before its first step", {unit} = context.data;
    const many = `${unit[0].toUpperCase()}${unit.slice(1)} ${context.round + 1} of ${context.rounds}`;
    return [
        h("h2", {}, context.rounds > 1 ? many : one),
        h("p", {}, `${counted(operations, "operation")} and ${counted(parameters, "parameter")}, in ${timeline.length} `
            + `steps: forward from the leaves to ${timeline.results().join(" and ")}, then backward. `
            + "Only the leaves have values yet."),
        h("p", {class: "hint"}, h("kbd", {}, "→"), " next step")];
}

function backwardSection(timeline, p, context) {
    const {graph} = timeline, step = timeline.steps[p - 1], top = timeline.top(p);
    const node = graph.nodes[step.node], to = graph.nodes[step.to], title = subject(timeline, p);
    const shares = timeline.backwardSteps(p, other => other.to === step.to);
    const nth = shares.findIndex(([number]) => number === p) + 1;
    const earlier = nth > 1 ? shares[nth - 2][1].total : step.begun ?? null;
    return [
        h("h2", {}, h("code", {}, title), " through ", h("code", {}, step.rule)),
        h("p", {}, h("code", {}, `${node.label} = `, calledWithLinks(graph, step.node, context)),
            ` sends a share of its gradient to ${to.label}, its input ${step.argument}.`),
        formula(node),
        definitions([["g", `∂${top}/∂${node.label}`, step.arriving, "gradient"],
                     ["y", node.label, timeline.round.values[step.node], "value"], ...inputs(timeline, step.node)]),
        ruleSource("The rule that ran", step.rule, context),
        byHand(step.hand, to.shape),
        earlier || step.fitted ? result("share", step.share, "gradient") : null,
        step.fitted ? result("summed over the copies that broadcasting made", step.fitted, "gradient") : null,
        earlier ? [h("h3", {}, "Added to what had arrived"), byHand(step.sumhand, to.shape, null),
                   step.sumhand?.length ? null : result("before", earlier, "gradient")] : null,
        result(title, step.total, "gradient total"),
        h("p", {class: "note"}, shares.length > 1 ? `${to.label} gets ${shares.length} shares; this is number ${nth}.`
            : step.begun ? `${to.label} gets no other share: the rest is what the backward pass began with.`
                : `${to.label} gets no other share, so this is all of it.`)];
}

/** Everything about one node. */
function nodeSection(timeline, i, p, context) {
    if (i === null) return [h("p", {class: "hint"},
        "No node is selected. Click one, or go to it with Tab, then j and k, and press Enter.")];
    const {graph} = timeline, node = graph.nodes[i], value = timeline.value(i, p);
    const kinds = {parameter: "parameter", leaf: "leaf without gradient", result: `result of ${node.operation}`};
    return [
        h("h2", {}, h("code", {}, node.label)),
        h("p", {class: "note"}, kinds[node.kind], ", ",
            node.shape.length ? `shape ${shapeText(node.shape)}` : "a single number", `, ${node.dtype}`),
        value ? result("value", value, "value", true) : h("p", {class: "note"}, "Not computed yet at this step."),
        node.operation ? [
            h("h3", {}, "How it is computed"),
            h("p", {}, h("code", {}, `${node.label} = `, calledWithLinks(graph, i, context))), formula(node),
            value ? definitions(inputs(timeline, i)) : null,
            value ? byHand(timeline.round.values[i].hand, node.shape) : null] : null,
        gradientOf(timeline, i, p, context),
        history(i, p, context),
        rulesOf(timeline, i, p, context),
        node.operation ? programLine(node) : null,
        whereInModel(graph, i)];
}

/** A gradient as the sum over the uses of a node. */
function gradientOf(timeline, i, p, context) {
    const {graph} = timeline, node = graph.nodes[i], top = timeline.top(p), total = timeline.gradient(i, p);
    if (node.kind === "leaf" && !total)
        return [h("h3", {}, "Gradient"), h("p", {class: "note"}, "None: this leaf does not require one.")];
    const name = `∂${top}/∂${node.label}`, stored = timeline.grad(i, p);
    const uses = timeline.backwardSteps(p, step => step.to === i), done = uses.filter(([number]) => number <= p).length;
    const first = Math.max(0, Math.min(done - MOST_USES / 2, uses.length - MOST_USES));
    const rows = uses.slice(first, first + MOST_USES).map(([number, step]) =>
        h("tr", number > p ? {class: "later"} : {},
            h("td", {}, link(graph, step.node, context), ` as ${step.argument}`),
            h("td", {}, h("code", {}, step.rule)),
            h("td", {class: "gradient"}, number > p ? "not yet" : (step.fitted ?? step.share).brief)));
    if (uses[0]?.[1].begun && first === 0)
        rows.unshift(h("tr", {}, h("td", {colspan: 2}, "what the backward pass began with"),
                       h("td", {class: "gradient"}, uses[0][1].begun.brief)));
    const sum = h("tfoot", {}, h("tr", {}, h("th", {scope: "row", colspan: 2}, "sum so far"),
                                           h("td", {class: "gradient"}, total ? total.brief : "·")));
    return [
        h("h3", {}, rows.length > 1 ? "Gradient: the sum over its uses" : "Gradient"),
        uses.length > MOST_USES ? h("p", {class: "note"}, `${MOST_USES} of its ${uses.length} uses, those around this `
            + "step; the sum is over all until now.") : null,
        rows.length ? h("table", {class: "uses"}, headings("used by", "rule", "share"), h("tbody", {}, rows), sum)
                    : null,
        total ? result(name, total, "gradient", true) : null,
        stored ? result(`${node.label}.grad`, stored, "gradient") : null];
}

/** The rules by which a result hands its gradient on. */
function rulesOf(timeline, i, p, context) {
    const steps = timeline.backwardSteps(p, step => step.node === i);
    if (!steps.length) return null;
    return [h("h3", {}, "How it hands its gradient on"), steps.map(([number, step]) => {
        const to = timeline.graph.nodes[step.to];
        return h("details", {}, h("summary", {}, h("code", {}, step.rule), ` to ${to.label}`),
            ruleSource("The rule that ran", step.rule, context), number <= p ? byHand(step.hand, to.shape) : null);
    })];
}

// ------------------------------------------------------------------------------------------------ small parts

/** "name = value"; a value of several lines stands below its name, one of many lines has to be opened. */
function result(name, value, kind, open = false) {
    const {text} = value, lines = text.split("\n");
    const label = h("span", {class: "label"}, ...[name].flat());
    if (lines.length === 1 && text.length <= 40)
        return h("div", {class: `given ${kind}`}, label, " = ", h("code", {class: "number"}, text));
    const all = h("pre", {}, linesOf(text));
    const stats = value.stats ? h("p", {class: "note"}, value.stats) : null;
    if (lines.length <= (open ? Infinity : MOST_LINES)) return h("div", {class: `given ${kind}`}, label, all, stats);
    return h("details", {class: `given ${kind}`},
        h("summary", {}, label, " = ", h("code", {class: "number"}, value.brief)), stats, all);
}

/** What the letters of a formula stand for: [letter, the program's name or null, value, kind]. */
function definitions(entries) {
    return h("div", {class: "definitions"}, entries.map(([letter, name, value, kind]) =>
        result([h("i", {}, letter), name === null ? "" : ` = ${name}`], value, kind)));
}

/** The operation's letters for its inputs and settings, for `definitions`. */
function inputs(timeline, i) {
    const {graph, round} = timeline, node = graph.nodes[i];
    const given = node.inputs.map((x, k) => Number.isInteger(x)
        ? [node.arguments[k], graph.nodes[x].label, round.values[x], "value"]
        : [node.arguments[k], null, {text: x}, "value"]);
    return [...given, ...Object.entries(node.settings).map(([name, x]) => [name, null, {text: x}, "value"])];
}

function formula(node) {
    return node.formula ? h("p", {class: "formula"}, node.formula) : null;
}

/** Lines for a calculator. */
function byHand(lines, shape, title = "With the numbers put in") {
    if (!lines?.some(([, line]) => /[=≈]/.test(line))) return null;            // nothing is calculated
    const more = shape.reduce((a, b) => a * b, 1) - lines.length;
    const rest = lines.length < MOST_BY_HAND ? "without a line: not finite, or too long to be written out"
                                             : "in the same way";
    return [title ? h("h3", {}, title) : null,
        h("table", {class: "hand"}, h("tbody", {}, lines.map(([place, line]) =>
            h("tr", {}, place ? h("th", {scope: "row"}, place) : null, h("td", {}, line))))),
        more > 0 && lines[0][0] ? h("p", {class: "note"}, `and ${counted(more, "more element")} ${rest}`) : null];
}

function headings(...names) {
    return h("thead", {}, h("tr", {}, names.map(name => h("th", {scope: "col"}, name))));
}

function ruleSource(title, rule, context) {
    const {source, place} = context.data.rules[rule];
    return [h("h3", {}, title),
        source ? code(source) : h("p", {class: "note"}, "Its text is not in a file."),
        place ? h("p", {class: "note"}, "Set a breakpoint here: ", h("code", {class: "place"}, place)) : null];
}

function code(text) {
    return h("pre", {class: "source"}, h("code", {}, linesOf(text)));
}

/** Each line for itself, so that what does not fit goes on further to the right. */
function linesOf(text) {
    return text.split("\n").map((line, i, all) => h("span", {class: "line"}, i < all.length - 1 ? `${line}\n` : line));
}

function programLine(node) {
    const title = h("h3", {}, "Your program's line"), found = node.line.match(/^(.*?:\d+): (.*)$/s);
    if (!node.line) return [title, h("p", {class: "note"}, "Run the program inside ",
                                     h("code", {}, "with tn.inspect.record():"), " to see its line here.")];
    if (!found) return [title, code(node.line)];
    return [title, code(found[2]), h("p", {class: "note"}, h("code", {class: "place"}, found[1]))];
}

function whereInModel(graph, i) {
    const group = graph.nodes[i].group;
    if (group < 0) return null;
    return h("p", {class: "note"}, `in ${graph.chains[group].map(box => graph.groups[box].label).join(" › ")}`);
}

function link(graph, i, context) {
    const button = h("button", {type: "button", class: "link"}, graph.nodes[i].label);
    button.addEventListener("click", () => context.select(i));
    return button;
}

function calledWithLinks(graph, i, context) {
    const {operation, inputs} = graph.nodes[i];
    const parts = inputs.map((x, k) => [k ? ", " : "", Number.isInteger(x) ? link(graph, x, context) : x]);
    return [`${operation}(`, parts, ")"];
}

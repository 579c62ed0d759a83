// A parameter over the training steps: a table, and one of its elements as a small drawing.

const WIDTH = 320, HEIGHT = 150, EDGE = 14, MIDDLE = 92;       // of the drawing; where values end and gradients begin

/** What became of a parameter in each training step: the node of that round with the same name. */
function pastOf(label, data) {
    const found = data.rounds.map((round, r) => {
        const {nodes} = data.graphs[round.graph];
        const i = nodes.findIndex(node => node.kind === "parameter" && node.label === label);
        const last = (kind, where) => round.steps.findLast(step => step.kind === kind && step[where] === i);
        return {found: i >= 0, round: r, value: round.values[i], after: last("update", "node")?.after,
                gradient: last("store", "node")?.after ?? last("backward", "to")?.total};
    });
    return found.filter(entry => entry.found);
}

/** The table and the drawing, for a parameter of which several training steps are recorded. */
function history(i, p, context) {
    const {graph, data, round} = context, node = graph.nodes[i];
    if (node.kind !== "parameter" || data.rounds.length < 2) return null;
    const past = pastOf(node.label, data);
    const rows = past.map(entry => h("tr", entry.round === round ? {"aria-current": "true"} : {},
        h("th", {scope: "row"}, String(entry.round + 1)),
        h("td", {class: "value"}, entry.value.brief),
        h("td", {class: "gradient"}, entry.gradient?.brief ?? "none"),
        h("td", {class: "value"}, entry.after?.brief ?? "unchanged")));
    const head = headings(data.unit, "value", "gradient", "after it");
    return [h("h3", {}, `Over the ${counted(past.length, data.unit)}`), drawingWithChoice(node, past, context),
            h("table", {class: "history"}, head, h("tbody", {}, rows))];
}

/** All numbers of a value, null if the middle of them was left out. */
function numbers(value, size) {
    if (!value || value.text.includes("...")) return null;
    const found = value.text.replaceAll("−", "-").match(/-?(?:\d[\d.]*(?:e[-+]?\d+)?|inf|nan)/g) ?? [];
    return found.length === size ? found.map(text => Number(text.replace("inf", "Infinity"))) : null;
}

function drawingWithChoice(node, past, context) {
    const size = node.shape.reduce((a, b) => a * b, 1);
    if (!size || past.some(entry => !numbers(entry.value, size))) return null;
    const chosen = Math.min(context.element.get(node.label) ?? 0, size - 1);
    const place = h("div", {class: "drawing"}, drawing(node, past, chosen, size, context.round));
    if (size === 1) return place;
    const options = Array.from({length: size}, (_, k) => h("option", {value: k}, indexText(k, node.shape)));
    const choice = h("select", {id: "element"}, options);
    choice.value = String(chosen);
    choice.addEventListener("change", () => {
        context.element.set(node.label, Number(choice.value));
        place.replaceChildren(drawing(node, past, Number(choice.value), size, context.round));
    });
    return [h("p", {class: "choice"}, h("label", {for: "element"}, "element "), choice), place];
}

/** [1, 0] */
function indexText(k, shape) {
    const index = [];
    for (const n of [...shape].reverse()) {
        index.unshift(k % n);
        k = Math.floor(k / n);
    }
    return `[${index.join(", ")}]`;
}

/** Values as a line above, gradients as bars below; the current training step is marked. */
function drawing(node, past, k, size, round) {
    const values = [...past.map(entry => entry.value), past.at(-1).after].map(value => numbers(value, size)?.[k])
        .filter(value => value !== undefined);
    const slopes = past.map(entry => numbers(entry.gradient, size)?.[k] ?? 0);
    if (![...values, ...slopes].every(Number.isFinite))
        return h("p", {class: "note"}, "Not every number is finite, so nothing is drawn.");
    const least = Math.min(...values), most = Math.max(...values), steepest = Math.max(...slopes.map(Math.abs));
    const column = (WIDTH - 2 * EDGE) / Math.max(values.length - 1, 1), zero = (MIDDLE + HEIGHT) / 2;
    const x = j => EDGE + j * column;
    const y = value => EDGE + (most - value) / (most - least || 1) * (MIDDLE - 2 * EDGE);
    const end = slope => zero - slope / (steepest || 1) * (HEIGHT - MIDDLE - 12) / 2;
    const now = j => past[j]?.round === round;
    const text = `${node.label}${size > 1 ? indexText(k, node.shape) : ""}`;
    const parts = [
        svg("polyline", {class: "values", points: values.map((value, j) => `${x(j)},${y(value)}`).join(" ")}),
        ...values.map((value, j) => svg("circle", {class: now(j) ? "now" : "", cx: x(j), cy: y(value),
                                                   r: now(j) ? 6 : 3})),
        svg("line", {class: "zero", x1: 0, x2: WIDTH, y1: zero, y2: zero}),
        ...slopes.map((slope, j) => svg("line", {class: now(j) ? "slope now" : "slope", x1: x(j), x2: x(j), y1: zero,
                                                 y2: end(slope)}))];
    const words = `${text}: values ${values.map(tidy).join(", ")}; gradients ${slopes.map(tidy).join(", ")}`;
    const picture = svg("svg", {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words}, ...parts);
    return h("figure", {}, picture,
        h("figcaption", {}, h("span", {class: "value"}, `line: ${text}, from ${tidy(least)} to ${tidy(most)}`), h("br"),
            h("span", {class: "gradient"}, `bars: its gradient, up to ±${tidy(steepest)}`)));
}

function tidy(x) {
    return String(Number(x.toPrecision(4))).replaceAll("-", "−");
}

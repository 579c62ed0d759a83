// Where the nodes of the graph go, for those boxes that are open: layout.place of Python, number for number.

const GAP = 18, LAYER_GAP = 40, MARGIN = 12, HEAD = 22;     // between neighbours, layers, inside of boxes, their title
const VIA = 6;                                              // the width that a passing edge takes
const SOURCE = 0.05;                                        // how much a place beside the way counts

/** The boxes around each box, from the outermost to itself. */
function chains(groups) {
    const found = [];
    groups.forEach((group, i) => found.push([...(group.parent < 0 ? [] : found[group.parent]), i]));
    return found;
}

/** What is seen of a node: itself, or the outermost folded box around it. */
function visible(graph, node, folded) {
    const group = graph.nodes[node].group;
    const box = group < 0 ? undefined : graph.chains[group].find(i => folded.has(i));
    return box === undefined ? `n${node}` : `g${box}`;
}

/** Everything that is shown: [left, top, width, height] by name, the way of each edge, and the size of the whole.
 *
 * `routes` are the ways that are drawn: where an edge passes a layer, it goes straight down from its top to its bottom.
 */
function place(graph, folded) {
    const boxes = new Map(), ways = new Map(), routes = new Map(), heights = new Map(), inner = new Map();
    for (let box = graph.groups.length - 1; box >= -1; box--) {
        if (folded.has(box)) continue;
        const sizes = new Map();
        for (const layer of graph.layers[box])
            for (const name of layer) sizes.set(name, outerSize(graph, name, inner));
        inner.set(box, placeLayers(graph.layers[box], graph.links[box], sizes, heights));
    }
    const unpack = (box, left, top) => {
        for (const [name, [x, y, w, h]] of inner.get(box).boxes) {
            boxes.set(name, [left + x, top + y, w, h]);
            const number = Number(name.slice(1));
            if (name[0] === "g" && inner.has(number)) unpack(number, left + x + MARGIN, top + y + HEAD + MARGIN);
        }
    };
    unpack(-1, MARGIN, MARGIN);
    graph.edges.forEach(([u, v, k], e) => {
        const start = visible(graph, u, folded), end = visible(graph, v, folded);
        if (start === end) return;
        const n = graph.nodes[v].inputs.filter(Number.isInteger).length;
        const [x, y, w, h] = boxes.get(start), [X, Y, W] = boxes.get(end);
        const first = [x + w / 2, y + h], last = [X + W * (k + 1) / (n + 1), Y];
        const passed = graph.via[e].filter(name => boxes.has(name));
        const middles = passed.map(name => boxes.get(name)).map(([l, t, ww, hh]) => [l + ww / 2, t + hh / 2]);
        ways.set(e, [first, ...middles, last]);
        routes.set(e, [first, ...middles.flatMap(([m, t], i) => {
            const half = heights.get(passed[i]) / 2;
            return half ? [[m, t - half], [m, t + half]] : [[m, t]];
        }), last]);
    });
    const whole = inner.get(-1);
    return {boxes, ways, routes, width: whole.width + 2 * MARGIN, height: whole.height + 2 * MARGIN};
}

/** The room that something takes: left and right of its axis, and its height. */
function outerSize(graph, name, inner) {
    if (name[0] === "e") return [VIA / 2, VIA / 2, 0];
    const number = Number(name.slice(1));
    const [width, height] = name[0] === "n" ? graph.nodes[number].size : graph.groups[number].size;
    if (name[0] === "n" || !inner.has(number)) return [width / 2, width / 2, height];
    const inside = inner.get(number), left = inside.axis + MARGIN;
    return [left, Math.max(inside.width + 2 * MARGIN, width) - left, inside.height + HEAD + 2 * MARGIN];
}

/** Inside one box: layers below each other, everything as near to its neighbours as its room allows. */
function placeLayers(layers, links, sizes, heights) {
    const above = new Map(), below = new Map();
    for (const name of sizes.keys()) {
        above.set(name, []);
        below.set(name, []);
    }
    for (const [a, b] of links) {
        above.get(b).push(a);
        below.get(a).push(b);
    }
    const axis = new Map(), weight = new Map();
    for (const name of sizes.keys()) weight.set(name, above.get(name).length || name[0] === "e" ? 1 : SOURCE);
    const move = (layer, wanted, weights) =>
        spread(wanted, layer.map(name => sizes.get(name)), weights).forEach((x, i) => axis.set(layer[i], x));
    for (const layer of layers) move(layer, layer.map(() => 0), layer.map(() => 1));        // side by side at first
    const upwards = [...layers].reverse();
    for (const [neighbours, order] of [[above, layers], [below, upwards], [above, layers], [below, upwards]])
        for (const layer of order)
            move(layer, layer.map(name => pulled(neighbours.get(name), axis, weight, axis.get(name))),
                 layer.map(name => weight.get(name)));
    let first = Infinity, top = 0, width = 0;
    for (const [name, x] of axis) first = Math.min(first, x - sizes.get(name)[0]);
    const boxes = new Map();
    for (const layer of layers) {
        const height = layer.reduce((most, name) => Math.max(most, sizes.get(name)[2]), 0);
        for (const name of layer) {
            const [left, right, h] = sizes.get(name), x = axis.get(name) - left - first;
            const lower = weight.get(name) === SOURCE ? height - h : (height - h) / 2;      // near to what it leads to
            boxes.set(name, [x, top + lower, left + right, h]);
            heights.set(name, height);
            width = Math.max(width, x + left + right);
        }
        top += height + LAYER_GAP;
    }
    return {boxes, width, height: Math.max(top - LAYER_GAP, 0), axis: pulled(layers.at(-1), axis, weight, 0) - first};
}

/** Where the neighbours want something to be: at their mean; what has a long way behind it counts most. */
function pulled(neighbours, axis, weight, own) {
    if (!neighbours.length) return own;
    let total = 0, sum = 0;
    for (const x of neighbours) total += weight.get(x);
    for (const x of neighbours) sum += weight.get(x) * axis.get(x);
    return sum / total;
}

/** The places nearest to those wanted (weighted least squares) that keep the order and do not overlap. */
function spread(wanted, sizes, weights) {
    const offsets = [], blocks = [];                        // blocks: [Σ weight · place, Σ weight, how many]
    let x = 0;
    sizes.forEach(([left], i) => {
        x += i ? sizes[i - 1][1] + GAP + left : 0;
        offsets.push(x);
    });
    wanted.forEach((place, i) => {
        let total = weights[i] * (place - offsets[i]), sum = weights[i], n = 1;
        while (blocks.length && blocks.at(-1)[0] / blocks.at(-1)[1] > total / sum) {
            const earlier = blocks.pop();
            total += earlier[0];
            sum += earlier[1];
            n += earlier[2];
        }
        blocks.push([total, sum, n]);
    });
    const shifts = blocks.flatMap(([total, sum, n]) => Array(n).fill(total / sum));
    return shifts.map((shift, i) => shift + offsets[i]);
}

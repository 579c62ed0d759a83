// What is known after p steps of a training step. A function of p alone: going back needs no undoing.

class Timeline {
    constructor(graph, round) {
        this.graph = graph;
        this.steps = round.steps;
        this.length = round.steps.length;
        this.round = round;
        this.computed = graph.nodes.map(() => 0);                   // after how many steps a value is known
        this.values = round.values.map(value => [[0, value]]);      // [after how many steps, value], and so on
        this.gradients = graph.nodes.map(() => []);
        this.stored = graph.nodes.map(() => []);
        this.shares = graph.edges.map(() => []);
        this.passes = [];                                           // after how many steps each backward pass has begun
        round.steps.forEach((step, i) => {
            const after = i + 1;
            if (step.kind === "forward") this.computed[step.node] = after;
            if (step.kind === "start") {
                if (round.steps[i - 1]?.kind !== "start") this.passes.push(after);
                this.gradients[step.node].push([after, step.value]);
            }
            if (step.kind === "backward") {
                this.gradients[step.to].push([after, step.total]);
                this.shares[step.edge].push([after, step]);
            }
            if (step.kind === "hooked") this.gradients[step.node].push([after, step.after]);
            if (step.kind === "store") this.stored[step.node].push([after, step.after]);
            if (step.kind === "update") this.values[step.node].push([after, step.after]);
        });
    }

    /** The value of a node, null before it is computed. */
    value(node, p) {
        return this.computed[node] > p ? null : latest(this.values[node], p);
    }

    /** Its gradient so far in the backward pass that runs. */
    gradient(node, p) {
        return latest(this.gradients[node], p, this.pass(p));
    }

    /** Its .grad, null before this training step has stored one. */
    grad(node, p) {
        return latest(this.stored[node], p);
    }

    /** The step that has sent a share along an edge. */
    share(edge, p) {
        return latest(this.shares[edge], p, this.pass(p));
    }

    /** After how many steps the backward pass has begun that runs, or ran last; the first one if none has begun yet. */
    pass(p) {
        return this.passes.findLast(start => start <= p) ?? this.passes[0] ?? 0;
    }

    /** Where that pass ends. */
    passEnd(p) {
        return this.passes.find(start => start > this.pass(p)) ?? this.length + 1;
    }

    /** The L of ∂L/∂x in the backward pass of step p, or in the one to come. */
    top(p) {
        const start = this.steps[this.pass(p) - 1];
        return start ? isolated(start.top) : this.graph.nodes.at(-1).label;
    }

    /** The results from which the first backward pass starts. */
    results() {
        const found = this.steps.filter((step, i) => step.kind === "start" && i + 1 < this.passEnd(0));
        return found.map(step => this.graph.nodes[step.node].label);
    }

    /** What a node sends and receives in this pass: its backward steps with their numbers, the first being 1. */
    backwardSteps(p, wanted) {
        const found = [];
        for (let i = this.pass(p); i < this.passEnd(p) - 1; i++) {
            const step = this.steps[i];
            if (step.kind === "backward" && wanted(step)) found.push([i + 1, step]);
        }
        return found;
    }

    /** Which nodes and edges look different after p and after q steps; null if that may be all of them. */
    changed(p, q) {
        const nodes = new Set(), edges = new Set();
        for (let i = Math.min(p, q); i < Math.max(p, q); i++) {
            const step = this.steps[i];
            if (step.kind === "start" && i + 1 > this.passes[0]) return null;       // the gradients begin anew
            nodes.add(step.to ?? step.node);
            if (step.kind === "backward") edges.add(step.edge);
        }
        return {nodes, edges};
    }
}

/** The last entry of [after how many steps, what] up to p steps, but not before `first`; null if there is none. */
function latest(entries, p, first = 0) {
    for (let i = entries.length - 1; i >= 0; i--)
        if (entries[i][0] <= p) return entries[i][0] >= first ? entries[i][1] : null;
    return null;
}

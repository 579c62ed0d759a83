// The drawn graph: nodes and boxes are buttons, edges are curves behind them. Only what changes is touched.

const LEAST_ZOOM = 0.02, MOST_ZOOM = 3;
const LETTERS = {1: 10, 2: 20, many: 21};           // the room on an edge for a gradient of so many numbers

class GraphView {
    /** `select(node)` and `fold(box)` are called when one of them is chosen. */
    constructor(select, fold) {
        this.scroller = document.getElementById("scroller");
        this.sizer = document.getElementById("sizer");
        this.world = document.getElementById("world");
        this.zoom = 1;
        this.world.addEventListener("click", event => {
            const button = event.target.closest("button");
            if (button?.dataset.node !== undefined) select(Number(button.dataset.node));
            if (button?.dataset.box !== undefined) fold(Number(button.dataset.box));
        });
        this.world.addEventListener("focusin", event => this.makeStop(event.target));
        letDrag(this.scroller);
    }

    /** Draw the graph anew, with these boxes folded. */
    draw(graph, folded) {
        this.graph = graph;
        this.folded = folded;
        this.placement = place(graph, folded);
        this.seen = graph.nodes.map((_, i) => visible(graph, i, folded));
        this.elements = new Map();                  // by the name of what is shown
        this.rows = new Map();                      // the places of a node's value and gradient
        this.paths = new Map();                     // by the number of the edge
        this.labels = new Map();
        this.lit = [];
        this.stops = [];                            // the buttons, in the order in which j and k go through them
        this.buttons = new Map();
        this.selected = null;
        const frames = [], buttons = [];
        const add = name => {
            if (this.elements.has(name) || !this.placement.boxes.has(name)) return;
            const [frame, button] = name[0] === "n" ? [null, this.node(Number(name.slice(1)))] : this.box(name);
            if (frame) frames.push([Number(name.slice(1)), frame]);
            buttons.push(button);
            this.elements.set(name, frame ?? button);
            this.stops.push(button);
            this.buttons.set(name, button);
        };
        graph.nodes.forEach((node, i) => {          // in order of time, each box before what it holds
            if (node.group >= 0) graph.chains[node.group].forEach(box => add(`g${box}`));
            add(`n${i}`);
        });
        frames.sort(([a], [b]) => a - b);
        this.world.replaceChildren(...frames.map(([, frame]) => frame), this.edges(), ...buttons);
        this.stop = null;
        if (this.stops.length) this.makeStop(this.stops[0]);
        this.setZoom(this.zoom);
    }

    node(i) {
        const {label, operation, kind, shape} = this.graph.nodes[i];
        const size = shape.reduce((a, b) => a * b, 1);
        const name = h("span", {class: "name"}, h("b", {}, label), operation ? ` = ${operation}` : "");
        const value = h("span", {class: "value"}), gradient = h("span", {class: "gradient"});
        const head = h("span", {class: "head"}, name, size > 2 ? h("span", {class: "shape"}, shapeText(shape)) : null);
        const button = h("button", {type: "button", class: `node ${kind}`, tabindex: "-1", "data-node": i,
                                    "aria-pressed": "false"}, head, value, gradient);
        this.rows.set(i, [value, gradient]);
        return putAt(button, this.placement.boxes.get(`n${i}`));
    }

    box(name) {
        const i = Number(name.slice(1)), {label} = this.graph.groups[i], folded = this.folded.has(i);
        const [left, top, width, height] = this.placement.boxes.get(name);
        const count = this.graph.inside[i].filter(node => this.graph.nodes[node].operation).length;
        const contents = counted(count, "operation");
        const button = h("button", {type: "button", class: folded ? "box folded" : "fold", "data-box": i, title: label,
                                    tabindex: "-1", "aria-expanded": String(!folded),
                                    "aria-label": `${label}, ${contents}`},
            h("span", {class: "name"}, h("span", {}, label)), folded ? h("span", {class: "contents"}, contents) : null);
        if (folded) return [null, putAt(button, [left, top, width, height])];
        const frame = putAt(h("div", {class: "box open"}), [left, top, width, height]);
        return [frame, putAt(button, [left, top, width, HEAD])];
    }

    edges() {
        const {routes, boxes, width, height} = this.placement, {graph} = this;
        const letters = e => {
            const size = graph.nodes[graph.edges[e][0]].shape.reduce((a, b) => a * b, 1);
            return LETTERS[size] ?? LETTERS.many;
        };
        const obstacles = [...boxes].filter(([name]) => name[0] !== "e").map(([name, [x, y, w, h]]) => {
            const open = name[0] === "g" && !this.folded.has(Number(name.slice(1)));
            return open ? [x, y, graph.groups[Number(name.slice(1))].label.length * LETTER + 34, HEAD] : [x, y, w, h];
        });
        this.letters = letters;
        this.bundles = new Map();                   // edges that go the same way, into a folded box say, are one line
        const lines = svg("g"), texts = svg("g", {class: "shares"}), known = new Map(), first = new Map();
        for (const [e, points] of routes) {
            const d = curve(points, false), bundle = known.get(d) ?? [];
            bundle.push(e);
            this.bundles.set(e, bundle);
            if (bundle.length === 1) {
                const path = svg("path", {d, class: isFar(points) ? "edge far" : "edge", pathLength: 1});
                lines.append(path);
                known.set(d, bundle);
                first.set(e, points);
                this.paths.set(e, path);
            } else this.paths.set(e, this.paths.get(bundle[0]));
            this.paths.get(e).dataset.edges = bundle.join(" ");
        }
        this.spots = labelSpots(first, obstacles, letters);
        this.lines = lines;
        this.texts = texts;
        return svg("svg", {width, height, "aria-hidden": "true"}, lines, texts);
    }

    /** Write what is known after p steps into these nodes and edges; null for all. */
    paint(timeline, p, changed) {
        for (const i of changed?.nodes ?? this.rows.keys()) {
            if (!this.rows.has(i)) continue;                                    // in a folded box
            const [value, gradient] = this.rows.get(i);
            const now = timeline.value(i, p), slope = timeline.gradient(i, p);
            write(value, now ? `= ${short(now)}` : "·");
            write(gradient, slope ? `∂ ${short(slope)}` : "");
            this.elements.get(`n${i}`).setAttribute("aria-label", nodeSentence(timeline, i, p));
        }
        for (const e of changed?.edges ?? this.paths.keys())
            if (this.paths.has(e) && (changed || e === this.bundles.get(e)[0]))
                this.paintEdges(this.bundles.get(e), timeline, p);
    }

    /** A line, which stands for one edge, or for several. */
    paintEdges(bundle, timeline, p) {
        const [e] = bundle, path = this.paths.get(e);
        const steps = bundle.map(one => timeline.share(one, p)).filter(step => step !== null);
        const passed = steps.length > 0;
        if (path.classList.contains("passed") !== passed) {
            path.classList.toggle("passed");
            path.setAttribute("d", curve(this.placement.routes.get(e), passed));
        }
        let label = this.labels.get(e);
        if (!passed) {
            label?.remove();
            this.labels.delete(e);
            return;
        }
        if (!label) {
            const [x, y] = this.spots.get(e);
            label = svg("text", {x, y});
            label.dataset.edge = e;
            this.labels.set(e, label);
            this.texts.append(label);
        }
        const text = bundle.length > 1 ? counted(steps.length, "share") : shortest(steps[0].fitted ?? steps[0].share);
        const room = this.letters(e) + 3;
        write(label, text.length > room ? text.slice(0, room - 1) + "…" : text);
    }

    /** Light what a step is about, and bring it into view. */
    light(step, follow) {
        this.lit.forEach(([element, ...names]) => {
            element.classList.remove(...names);
            element.removeAttribute("aria-current");
        });
        this.lit = [];
        if (!step) return;
        const mark = (element, ...names) => {
            if (!element) return;
            element.classList.add(...names);
            this.lit.push([element, ...names]);
        };
        const {graph} = this;
        const place = this.seen[step.to ?? step.node];
        const from = this.elements.get(this.seen[step.node]), here = this.elements.get(place);
        if (from !== here) mark(from, "sender");
        mark(here, "lit", KINDS[step.kind]);
        if (here.tagName === "BUTTON") here.setAttribute("aria-current", "step");
        if (step.kind === "forward")
            graph.into[step.node].forEach(e => mark(this.paths.get(e), "lit", "forward"));
        if (step.kind === "backward") {
            mark(this.paths.get(step.edge), "lit", "backward");
            mark(this.labels.get(this.bundles.get(step.edge)?.[0]), "lit");
        }
        for (const [element] of this.lit) if (element.tagName === "path") this.lines.append(element);      // on top
        if (!this.world.contains(document.activeElement)) this.makeStop(this.buttons.get(place));
        const near = step.kind === "forward" ? graph.into[step.node].map(e => graph.edges[e][0]) : [step.node];
        if (follow) this.reveal([place, ...near.map(node => this.seen[node])]);
    }

    select(node) {
        this.selected?.classList.remove("selected");
        this.selected?.setAttribute("aria-pressed", "false");
        this.selected = node === null ? null : this.elements.get(`n${node}`) ?? null;
        this.selected?.classList.add("selected");
        this.selected?.setAttribute("aria-pressed", "true");
    }

    // ---------------------------------------------------------------- focus: the graph is one stop for the Tab key

    makeStop(button) {
        if (!button || button === this.stop) return;
        this.stop?.setAttribute("tabindex", "-1");
        button.setAttribute("tabindex", "0");
        this.stop = button;
    }

    moveFocus(by) {
        const i = this.stops.indexOf(document.activeElement) + by;
        if (i < 0 || i >= this.stops.length) return;
        this.stops[i].focus({preventScroll: true});
        const {node, box} = this.stops[i].dataset;
        this.reveal([node === undefined ? `g${box}` : `n${node}`]);
    }

    // ---------------------------------------------------------------- zoom and scrolling

    setZoom(zoom) {
        const {scroller} = this, {width, height} = this.placement;
        zoom = Math.min(Math.max(zoom, LEAST_ZOOM), MOST_ZOOM);
        const x = (scroller.scrollLeft + scroller.clientWidth / 2) / this.zoom;         // stays in the middle
        const y = (scroller.scrollTop + scroller.clientHeight / 2) / this.zoom;
        this.zoom = zoom;
        this.sizer.style.width = `${width * zoom}px`;
        this.sizer.style.height = `${height * zoom}px`;
        this.world.style.width = `${width}px`;
        this.world.style.height = `${height}px`;
        this.world.style.transform = `scale(${zoom})`;
        scroller.scrollTo(x * zoom - scroller.clientWidth / 2, y * zoom - scroller.clientHeight / 2);
    }

    /** The whole graph, but not smaller than `least` times its size. */
    fit(least, most = 1.5) {
        const {clientWidth, clientHeight} = this.scroller, {width, height} = this.placement;
        this.setZoom(Math.min(Math.max(Math.min(clientWidth / width, clientHeight / height) * 0.995, least), most));
        this.scroller.scrollTo((this.sizer.offsetWidth - clientWidth) / 2, 0);
    }

    /** Scroll inside the pane, and only there, until these can be seen; if not all, the first. */
    reveal(names) {
        const {scroller, zoom} = this;
        const rectangles = names.map(name => this.placement.boxes.get(name).map(x => x * zoom));
        const distance = (from, to, room, scrolled) => {
            const margin = Math.min(24, room / 8);
            if (to - from + 2 * margin > room) return null;
            if (from - margin < scrolled) return from - margin;
            return to + margin > scrolled + room ? to + margin - room : scrolled;
        };
        for (let n = names.length; n > 0; n--) {
            const some = rectangles.slice(0, n);
            const left = distance(Math.min(...some.map(r => r[0])), Math.max(...some.map(r => r[0] + r[2])),
                                  scroller.clientWidth, scroller.scrollLeft);
            const top = distance(Math.min(...some.map(r => r[1])), Math.max(...some.map(r => r[1] + r[3])),
                                 scroller.clientHeight, scroller.scrollTop);
            if ((left === null || top === null) && n > 1) continue;
            const goTop = top ?? Math.max(some[0][1] - 24, 0), goLeft = left ?? Math.max(some[0][0] - 24, 0);
            const near = Math.abs(goTop - scroller.scrollTop) < scroller.clientHeight;
            scroller.scrollTo({left: goLeft, top: goTop, behavior: near && mayMove() ? "smooth" : "instant"});
            return;
        }
    }
}

function putAt(element, [left, top, width, height]) {
    Object.assign(element.style, {left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px`});
    return element;
}

function write(element, text) {
    if (element.textContent !== text) element.textContent = text;
}

function mayMove() {
    return !matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Pull the drawing along with the mouse; fingers do that without our help. */
function letDrag(scroller) {
    let last = null;
    scroller.addEventListener("pointerdown", event => {
        if (event.pointerType === "mouse" && event.button === 0 && !event.target.closest("button")
            && event.target !== scroller) last = event;
    });
    addEventListener("pointermove", event => {
        if (!last) return;
        scroller.scrollBy({left: last.clientX - event.clientX, top: last.clientY - event.clientY, behavior: "instant"});
        last = event;
    });
    addEventListener("pointerup", () => { last = null; });
}

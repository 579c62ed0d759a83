// The page as a whole: where we are, the controls, the keys.

const MOST_NODES = 2000;            // that are shown at once
const MOST_PRINTED = 300;           // steps in the printed table
const READABLE = 0.85;              // the part of its usual size at which one can still read a node
const OVERVIEW = 0.3;               // the least at which one sees what the graph is like
const WIDE_SCREEN = 1700;           // projected, most likely; places.css has larger letters from there on

const data = JSON.parse(document.getElementById("data").textContent);
const at = name => document.getElementById(name);
data.graphs.forEach(prepare);

const now = {round: 0, step: 0, selected: null, folded: new Set(), tab: "step"};
const element = new Map();          // of each parameter, which element is drawn
let timeline = new Timeline(data.graphs[data.rounds[0].graph], data.rounds[0]);
let playing = 0, overview = true;
const view = new GraphView(node => select(node), box => toggle(box));

/** What follows from the structure of a graph, once. */
function prepare(graph) {
    for (const named of [...graph.nodes, ...graph.groups]) named.label = isolated(named.label);
    graph.chains = chains(graph.groups);
    graph.into = graph.nodes.map(() => []);
    graph.inside = graph.groups.map(() => []);
    graph.edges.forEach(([, v], e) => graph.into[v].push(e));
    graph.nodes.forEach((node, i) => {
        if (node.group >= 0) graph.chains[node.group].forEach(box => graph.inside[box].push(i));
    });
}

function context() {
    return {data, graph: timeline.graph, round: now.round, rounds: data.rounds.length, element, select};
}

// ------------------------------------------------------------------------------------------------ folding

function visibleCount(graph, folded) {
    return graph.nodes.filter((_, i) => visible(graph, i, folded)[0] === "n").length;
}

/** The boxes to fold so that no more than MOST_NODES are shown: the innermost levels, as few as will do. */
function foldedToFit(graph) {
    const depths = graph.chains.map(chain => chain.length);
    for (let level = Math.max(0, ...depths) + 1; level > 0; level--) {
        const folded = new Set(depths.flatMap((depth, box) => depth >= level ? [box] : []));
        if (level === 1 || visibleCount(graph, folded) <= MOST_NODES) return folded;
    }
    return new Set();
}

function toggle(box) {
    const folded = new Set(now.folded);
    if (!folded.delete(box)) folded.add(box);
    else if (visibleCount(timeline.graph, folded) > MOST_NODES)         // what is inside stays folded
        timeline.graph.groups.forEach((group, i) => group.parent === box && folded.add(i));
    refold(folded);
    view.buttons.get(`g${box}`).focus({preventScroll: true});
    view.reveal([`g${box}`]);
}

function refold(folded) {
    now.folded = folded;
    view.draw(timeline.graph, folded);
    repaint(null, false);
    view.select(now.selected);
}

// ------------------------------------------------------------------------------------------------ where we are

/** Go to a step of a training step. Past the last step comes the next training step. */
function go(round, step) {
    if (step > timeline.length && round === now.round && round + 1 < data.rounds.length) [round, step] = [round + 1, 0];
    if (step < 0 && round === now.round && round > 0) [round, step] = [round - 1, data.rounds[round - 1].steps.length];
    round = Math.min(Math.max(round, 0), data.rounds.length - 1);
    step = Math.min(Math.max(step, 0), data.rounds[round].steps.length);
    let changed = null;
    if (round !== now.round) goToRound(round);
    else changed = timeline.changed(now.step, step);
    now.round = round;
    now.step = step;
    if (overview && step > 0) {                     // from the whole to where it happens
        overview = false;
        const size = innerWidth < WIDE_SCREEN ? 1 : 1.25;
        if (view.zoom < READABLE * size) view.setZoom(size);
    }
    repaint(changed, true);
}

function goToRound(round) {
    const before = timeline.graph;
    timeline = new Timeline(data.graphs[data.rounds[round].graph], data.rounds[round]);
    if (timeline.graph === before) return;
    const {label} = before.nodes[now.selected] ?? {};
    const same = timeline.graph.nodes.findIndex(node => node.label === label);
    now.selected = same < 0 ? null : same;
    now.folded = foldedToFit(timeline.graph);
    view.draw(timeline.graph, now.folded);
    view.select(now.selected);
}

function repaint(changed, follow) {
    view.paint(timeline, now.step, changed);
    view.light(timeline.steps[now.step - 1], follow);
    const step = at("step"), round = at("round");
    step.max = timeline.length;
    step.value = now.step;
    step.setAttribute("aria-valuetext", sentence(timeline, now.step));
    write(at("step-text"), stepName(timeline, now.step));
    round.value = now.round + 1;
    write(at("round-text"), `${data.unit} ${now.round + 1} of ${data.rounds.length}`);
    round.setAttribute("aria-valuetext", at("round-text").textContent);
    write(at("status"), sentence(timeline, now.step));
    const atEnd = now.step === timeline.length, moreRounds = now.round + 1 < data.rounds.length;
    disable("next", atEnd && !moreRounds);
    disable("last", atEnd);
    disable("previous", now.step === 0 && now.round === 0);
    disable("first", now.step === 0);
    if (changed === null) showPhases();
    showPanel();
}

/** A button that leads nowhere says so, and keeps the focus. */
function disable(name, off) {
    at(name).setAttribute("aria-disabled", String(off));
}

/** Under the slider: which steps go forward, which backward, which store and update. */
function showPhases() {
    const phases = [];
    timeline.steps.forEach(step => {
        const kind = KINDS[step.kind];
        if (phases.at(-1)?.kind === kind) phases.at(-1).count += 1;
        else phases.push({kind, count: 1});
    });
    at("phases").replaceChildren(...phases.map(({kind, count}) => {
        const part = h("span", {class: kind}, h("span", {}, kind));
        part.style.flexGrow = count;
        return part;
    }));
    for (const part of at("phases").children)                           // a word that has no room is left out
        part.classList.toggle("narrow", part.firstChild.offsetWidth > part.clientWidth);
}

function showPanel() {
    const step = now.tab === "step";
    at("show-step").setAttribute("aria-pressed", String(step));
    at("show-node").setAttribute("aria-pressed", String(!step));
    const chosen = timeline.graph.nodes[now.selected];
    write(at("show-node"), chosen ? `Selected: ${chosen.label}` : "Selected node");
    at("step-section").hidden = !step;
    at("node-section").hidden = step;
    const focused = document.activeElement, inside = focused.closest("#step-section, #node-section") !== null;
    const parts = step ? stepSection(timeline, now.step, context())
                       : nodeSection(timeline, now.selected, now.step, context());
    at(step ? "step-section" : "node-section").replaceChildren(...parts.flat(Infinity).filter(part => part !== null));
    if (inside) (at(focused.id) ?? at("panel")).focus({preventScroll: true});          // what had it is gone
}

function select(node) {
    now.selected = node;
    now.tab = "node";
    view.select(node);
    showPanel();
    at("panel").scrollTo(0, 0);
}

// ------------------------------------------------------------------------------------------------ playing

function play(on) {
    clearInterval(playing);
    playing = on ? setInterval(() => {
        go(now.round, now.step + 1);
        if (now.round + 1 === data.rounds.length && now.step === timeline.length) play(false);
    }, Number(at("speed").value)) : 0;
    document.body.classList.toggle("playing", on);
    at("play").setAttribute("aria-label", on ? "Pause" : "Play");
    write(at("play-text"), on ? "Pause" : "Play");
}

function togglePlay() {
    const atEnd = now.round + 1 === data.rounds.length && now.step === timeline.length;
    if (!playing && atEnd) go(0, 0);
    play(!playing);
}

// ------------------------------------------------------------------------------------------------ controls and keys

const ACTIONS = {
    first: () => go(now.round, 0), last: () => go(now.round, timeline.length),
    previous: () => go(now.round, now.step - 1), next: () => go(now.round, now.step + 1),
    play: togglePlay,
    "zoom-in": () => view.setZoom(view.zoom * 1.25), "zoom-out": () => view.setZoom(view.zoom / 1.25),
    fit: () => view.fit(LEAST_ZOOM),
    "open-all": () => refold(foldedToFit(timeline.graph)),
    "fold-all": () => refold(new Set(timeline.graph.groups.keys())),
    "show-step": () => { now.tab = "step"; showPanel(); },
    "show-node": () => { now.tab = "node"; showPanel(); },
    "help-button": () => {
        at("help").showModal();
        at("help").scrollTo(0, 0);                  // its button, which gets the focus, is at the end
    },
};

const KEYS = {
    ArrowRight: "next", ArrowLeft: "previous", Home: "first", End: "last", " ": "play",
    "+": "zoom-in", "=": "zoom-in", "-": "zoom-out", f: "fit", "?": "help-button",
};

function pressed(event) {
    const {target, key} = event;
    if (event.ctrlKey || event.altKey || event.metaKey || at("help").open) return;
    if (target.closest("input, select, textarea")) return;
    if (key === " " && target.closest("button, summary, a")) return;
    const rounds = {ArrowDown: 1, PageDown: 1, ArrowUp: -1, PageUp: -1}[key];
    if (rounds && data.rounds.length > 1 && target !== at("panel")) go(now.round + rounds, now.step);
    else if (KEYS[key]) {
        if (["next", "previous", "first", "last"].includes(KEYS[key])) play(false);
        ACTIONS[KEYS[key]]();
    } else if ((key === "j" || key === "k") && view.world.contains(target)) view.moveFocus(key === "j" ? 1 : -1);
    else return;
    event.preventDefault();
}

function connect() {
    for (const [name, action] of Object.entries(ACTIONS)) at(name).addEventListener("click", () => {
        if (["next", "previous", "first", "last"].includes(name)) play(false);
        action();
    });
    at("step").addEventListener("input", () => { play(false); go(now.round, Number(at("step").value)); });
    at("round").addEventListener("input", () => go(Number(at("round").value) - 1, now.step));
    at("speed").addEventListener("change", () => playing && play(true));
    addEventListener("keydown", pressed);
    addEventListener("resize", () => {
        showPhases();
        if (overview) view.fit(OVERVIEW);
    });
    const print = matchMedia("print");
    print.addEventListener("change", () => print.matches ? beforePrint() : afterPrint());
    addEventListener("beforeprint", beforePrint);
    addEventListener("afterprint", afterPrint);
    at("round").max = data.rounds.length;
    at("round-slider").hidden = data.rounds.length < 2;
    for (const name of ["open-all", "fold-all"]) at(name).hidden = !data.graphs.some(graph => graph.groups.length);
}

// ------------------------------------------------------------------------------------------------ printing

let zoomOnScreen = 0;

function beforePrint() {
    if (zoomOnScreen) return;
    zoomOnScreen = view.zoom;
    const {width, height} = view.placement;
    view.setZoom(Math.min(1, 680 / width, Math.max(900 / height, 0.4)));
    const round = data.rounds.length > 1 ? ` of ${at("round-text").textContent}` : "";
    at("printed").replaceChildren(h("h2", {}, `All steps${round}`), timeline.length > MOST_PRINTED
        ? h("p", {}, `The list of all ${timeline.length} steps is too long to print; the page shows them one by one.`)
        : listOfSteps());
}

function listOfSteps() {
    const rows = timeline.steps.map((step, i) => {
        const p = i + 1, value = outcome(timeline, p).brief;
        const cells = [String(p), KINDS[step.kind], subject(timeline, p), value, manner(timeline, p)];
        return h("tr", p === now.step ? {"aria-current": "step"} : {}, cells.map(cell => h("td", {}, cell)));
    });
    return h("table", {}, headings("step", "part", "what", "value", "how"), h("tbody", {}, rows));
}

function afterPrint() {
    if (!zoomOnScreen) return;
    view.setZoom(zoomOnScreen);
    zoomOnScreen = 0;
}

connect();
now.folded = foldedToFit(timeline.graph);
view.draw(timeline.graph, now.folded);
repaint(null, false);
view.fit(OVERVIEW);

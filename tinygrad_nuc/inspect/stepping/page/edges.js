// The curves of the edges, and a free spot on each for its gradient.

const CELL = 80;                    // of the grid in which we look for what lies nearby
const LONG = 640;                   // the height of a piece that passes layers without room for it
const TURN = 80;                    // from which height above its end it turns towards it
const FAR_LABEL = 26;               // how far above its end a long edge carries its gradient
const LABEL_HEIGHT = 15, LETTER = 6.7;
const TIP = 8;                      // the length of an arrow's head

/** The path of an edge: upright where it leaves and arrives, with a tip at its end, or back at its start. */
function curve(points, back) {
    const [[x0, y0], ...rest] = trunk(points);
    let text = `M${x0} ${y0}`, y = y0, x = x0;
    for (const [X, Y] of rest) {
        const middle = (y + Y) / 2;
        text += x === X ? ` L${X} ${Y}` : ` C${x} ${middle} ${X} ${middle} ${X} ${Y}`;
        [x, y] = [X, Y];
    }
    if (back) [x, y] = [x0, y0];
    const tail = back ? y + TIP : y - TIP;              // not a marker: thousands of those are slow
    return `${text} M${x - TIP / 2} ${tail} L${x} ${y} L${x + TIP / 2} ${tail}`;
}

/** A long piece, which was given no room of its own, follows one line with others at first, and turns at its end. */
function trunk(points) {
    return points.flatMap(([X, Y], i) =>
        i && isLong(points[i - 1], points[i]) ? [[points[i - 1][0], Y - TURN], [X, Y]] : [[X, Y]]);
}

function isLong([, y], [, Y]) {
    return Y - y > LONG;
}

function isFar(points) {
    return points.some((point, i) => i > 0 && isLong(points[i - 1], point));
}

/** The point at t, from 0 to 1, on one piece of a curve. */
function pointOn([x0, y0], [x1, y1], t) {
    const s = 1 - t, middle = (y0 + y1) / 2;
    return [x0 + (x1 - x0) * (3 * t * t - 2 * t * t * t), s * s * s * y0 + 3 * s * t * middle + t * t * t * y1];
}

/** Rectangles, to be asked how much of another is taken. */
class Taken {
    constructor() {
        this.cells = new Map();
    }

    *near(x, y, w, h) {
        for (let i = Math.floor(x / CELL); i <= Math.floor((x + w) / CELL); i++)
            for (let j = Math.floor(y / CELL); j <= Math.floor((y + h) / CELL); j++) yield `${i},${j}`;
    }

    add(rectangle) {
        for (const key of this.near(...rectangle)) {
            if (!this.cells.has(key)) this.cells.set(key, []);
            this.cells.get(key).push(rectangle);
        }
    }

    overlap(x, y, w, h) {
        const seen = new Set();
        for (const key of this.near(x, y, w, h)) for (const other of this.cells.get(key) ?? []) seen.add(other);
        let area = 0;
        for (const [X, Y, W, H] of seen)
            area += shared(x, w, X, W) * shared(y, h, Y, H);
        return area;
    }
}

/** The length that two stretches have in common. */
function shared(x, w, X, W) {
    return Math.max(0, Math.min(x + w, X + W) - Math.max(x, X));
}

/** Where each edge carries its gradient: [x, y] of the middle, on its curve, where it hides as little as can be. */
function labelSpots(routes, obstacles, letters) {
    const taken = new Taken();
    obstacles.forEach(rectangle => taken.add(rectangle));
    const spots = new Map();
    for (const [e, points] of routes) {
        const w = letters(e) * LETTER, h = LABEL_HEIGHT;
        let best = null, least = Infinity;
        for (const [x, y] of candidates(points)) {
            const area = taken.overlap(x - w / 2, y - h / 2, w, h);
            if (area < least) [best, least] = [[x, y], area];
            if (!area) break;
        }
        taken.add([best[0] - w / 2, best[1] - h / 2, w, h]);
        spots.set(e, best);
    }
    return spots;
}

/** Spots to try, the nicest first. */
function candidates(points) {
    if (isFar(points)) {
        const [X, Y] = points.at(-1);
        return [[X, Y - FAR_LABEL / 2], [X, Y - FAR_LABEL], [points[0][0], Y - TURN]];
    }
    const found = [];
    const pieces = points.slice(1).map((end, i) => [points[i], end]);
    const middle = (pieces.length - 1) / 2;
    pieces.sort((a, b) => Math.abs(points.indexOf(a[0]) - middle) - Math.abs(points.indexOf(b[0]) - middle));
    for (const t of [0.5, 0.3, 0.7, 0.4, 0.6, 0.2, 0.8]) for (const [a, b] of pieces) found.push(pointOn(a, b, t));
    return found;
}

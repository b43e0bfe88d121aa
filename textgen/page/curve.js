// Draws how a training goes: the loss on held-out text over time, beside that of an n-gram.

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LEFT, BOTTOM] = [400, 180, 36, 20];
const BIT = Math.log(2);

/** An SVG of rows [epochs, seconds, training loss, validation loss] and a level to compare with, or null for none. */
export function curveOf(rows, level, texts) {
  const points = rows.filter((row) => row[3] !== null).map((row) => [row[1], row[3] / BIT]);
  if (!points.length) return null;
  const heights = [...points.map(([, bits]) => bits), ...(level === null ? [] : [level / BIT])];
  const low = Math.max(0, Math.floor(Math.min(...heights) * 2 - 0.2) / 2);
  const high = Math.ceil(Math.max(...heights) * 2 + 0.2) / 2;
  const last = Math.max(points.at(-1)[0], 1e-9);
  const x = (seconds) => LEFT + (seconds / last) * (WIDTH - LEFT - 8);
  const y = (bits) => 8 + ((high - bits) / (high - low)) * (HEIGHT - BOTTOM - 8);
  const drawing = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": texts.label });
  for (const bits of [low, (low + high) / 2, high]) {
    drawing.append(drawn("line", { class: "grid", x1: LEFT, x2: WIDTH, y1: y(bits), y2: y(bits) }));
    drawing.append(drawn("text", { x: LEFT - 6, y: y(bits) + 4, "text-anchor": "end" }, texts.number(bits)));
  }
  if (level !== null) {
    drawing.append(drawn("line", { class: "level", x1: LEFT, x2: WIDTH, y1: y(level / BIT), y2: y(level / BIT) }));
    drawing.append(drawn("text", { x: WIDTH - 4, y: y(level / BIT) - 5, "text-anchor": "end" }, texts.level));
  }
  const line = points.map(([seconds, bits]) => `${x(seconds).toFixed(1)},${y(bits).toFixed(1)}`).join(" ");
  drawing.append(drawn("polyline", { class: "loss", points: line }));
  const [seconds, bits] = points.at(-1);
  drawing.append(drawn("circle", { class: "loss", cx: x(seconds), cy: y(bits), r: 4 }));
  drawing.append(drawn("text", { x: WIDTH - 8, y: HEIGHT - 6, "text-anchor": "end" }, texts.time));
  return drawing;
}

function drawn(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(text);
  return made;
}

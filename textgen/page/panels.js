// What stands beside a tinted text: tables whose rows lead somewhere, and points in squares.

import { element } from "./elements.js";
import { visible } from "./tint.js";

const SVG = "http://www.w3.org/2000/svg";
const RADIUS = 0.018; // of a square's side

/** A panel as a section of the page; `goTo` goes to a character, `tintBy` tints by another of the tints. */
export function panelOf(panel, { goTo, tintBy }) {
  const content = panel.rows ? tableOf(panel, { goTo, tintBy }) : squaresOf(panel);
  const note = element("p", { class: "note" }, visible(panel.note));
  return element("section", { class: "panel", "aria-label": panel.heading }, element("h2", {}, panel.heading), note, content);
}

function tableOf({ columns, rows, heading }, { goTo, tintBy }) {
  const head = element("tr", {}, ...columns.map((name) => element("th", { scope: "col" }, name)));
  const body = rows.map(({ cells: [first, ...others], tint, start }) => {
    const onclick = () => {
      if (tint !== null) tintBy(tint);
      if (start !== null) goTo(start);
    };
    const leads = tint !== null || start !== null;
    const name = leads ? element("button", { type: "button", onclick }, visible(first)) : visible(first);
    const values = others.map((value) => element("td", { dir: "auto" }, visible(value)));
    return element("tr", {}, element("th", { scope: "row", dir: "auto" }, name), ...values);
  });
  return element("table", { "aria-label": heading }, element("thead", {}, head), element("tbody", {}, ...body));
}

function squaresOf({ groups, x, y }) {
  const figures = groups.map(([name, across, up]) => {
    const label = `${name}: ${across.length} points, ${x} from left to right, ${y} from bottom to top`;
    const square = drawn("svg", { viewBox: "-0.03 -0.03 1.06 1.06", role: "img", "aria-label": label });
    square.append(drawn("line", { x1: 0, y1: 0, x2: 1, y2: 1 }));
    across.forEach((one, place) => square.append(drawn("circle", { cx: one, cy: 1 - up[place], r: RADIUS })));
    return element("figure", {}, square, element("figcaption", {}, name));
  });
  return element("div", { class: "squares" }, ...figures);
}

function drawn(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

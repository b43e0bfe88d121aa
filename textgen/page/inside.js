// Shows the notebook tinted by what a cell of the model remembers, or by how far its gates are open.

import { byId, element } from "./elements.js";
import { wellFormed } from "./notebook.js";
import { problemOf } from "./problem.js";
import { Reader } from "./reader.js";
import { remembered } from "./storage.js";
import { words } from "./texts.js";
import { LEVELS, nameOf, tintOf } from "./tint.js";

const MOST = 20000; // characters that the server looks into
const A_CELL = ""; // what the list of gates calls a cell
const HEARD_AFTER = 250; // milliseconds without another key

/** Show the tab; `inspect(asked, signal)` asks the server what a cell or a gate does in a text. */
export function setUpInspection(page, inspect) {
  const seen = { key: "", found: null, controller: new AbortController() };
  byId("tab-inside").hidden = false;
  byId("tab-inside").addEventListener("click", () => look());
  byId("model").addEventListener("change", () => {
    Object.assign(seen, { key: "", found: null }); // another one may have other gates
    byId("inside-found").textContent = "";
    byId("inside-cells").replaceChildren();
    look();
  });
  byId("language").addEventListener("change", () => {
    seen.key = "";
    look();
  });
  byId("inside-view").addEventListener("change", () => look());
  byId("inside-view").addEventListener("submit", (event) => event.preventDefault());
  byId("inside-find").addEventListener("submit", (event) => {
    event.preventDefault();
    find();
  });
  const shades = Array.from({ length: 2 * LEVELS + 1 }, (_, place) => element("span", { class: tintOf(place - LEVELS) }));
  byId("inside-scale").replaceChildren("−", ...shades, "+");
  if (remembered("tab") === "inside" && !page.state.writing) {
    page.update({ tab: "inside" }); // the page was loaded again
    look();
  }

  /** Ask for what is chosen and show it, unless it is shown already. */
  async function look() {
    const { tab, model, history, language } = page.state;
    const symbols = Array.from(history.notebook.text);
    byId("inside-empty").hidden = symbols.length > 0;
    byId("inside-desk").hidden = symbols.length === 0;
    if (tab !== "inside" || !model || !symbols.length || !byId("inside-view").reportValidity()) return;
    const text = lastPart(symbols);
    const asked = { model, text, ...(seen.found ? chosenView() : {}) };
    const key = JSON.stringify([asked, language]);
    if (seen.key === key) return;
    seen.key = key;
    seen.controller.abort();
    seen.controller = new AbortController();
    const { signal } = seen.controller;
    try {
      const found = await inspect(asked, signal);
      if (signal.aborted) return;
      seen.found = found;
      if (page.state.problem?.inside) page.update({ problem: null });
      showChoice(found, language);
      showTinted(found, language, symbols.length);
      seen.key = JSON.stringify([{ model, text, ...chosenView() }, language]);
    } catch (error) {
      seen.key = "";
      if (error.name === "AbortError") return;
      page.update({ problem: { problem: problemOf(error), retry: () => look(), inside: true } });
    }
  }

  /** Find the cells that tell what is chosen, and list them; one that is chosen tints the text. */
  async function find() {
    const { model, history, language } = page.state;
    byId("inside-found").textContent = words(language, "finding");
    byId("inside-cells").replaceChildren();
    try {
      const asked = { model, text: lastPart(Array.from(history.notebook.text)), find: byId("inside-feature").value };
      const { cells, measure, shuffled_most: most } = await inspect(asked);
      if (page.state.model !== model) return;
      const digits = new Intl.NumberFormat(language, { maximumFractionDigits: 2, minimumFractionDigits: 2 });
      const told = { measure, chance: digits.format(most) };
      byId("inside-found").textContent = words(language, cells.length ? "foundCells" : "noCells", told);
      const items = cells.map((cell) => itemOfCell(cell, digits.format(cell.told)));
      byId("inside-cells").replaceChildren(...items);
      if (page.state.problem?.inside) page.update({ problem: null });
    } catch (error) {
      byId("inside-found").textContent = "";
      page.update({ problem: { problem: problemOf(error), inside: true } });
    }
  }

  function itemOfCell({ cell, told }, shown) {
    const onclick = () => {
      const [layer, unit] = cell.split(".");
      byId("inside-what").value = A_CELL;
      byId("inside-layer").value = layer;
      byId("inside-unit").value = unit;
      look();
    };
    const meter = element("meter", { min: 0, max: 1, value: Math.max(0, told), "aria-hidden": "true" });
    return element("li", {}, element("button", { type: "button", onclick }, cell), meter, element("span", {}, shown));
  }
}

/** What of a text the server is asked about. */
const lastPart = (symbols) => wellFormed(symbols.slice(-MOST).join(""));

/** The cell or the gate that is chosen. */
function chosenView() {
  const gate = byId("inside-what").value;
  const layer = byId("inside-layer").value;
  return gate === A_CELL ? { cell: `${layer}.${byId("inside-unit").value}` } : { gate: `${layer}.${gate}` };
}

/** Offer what the model has, and show what is chosen of it. */
function showChoice({ cell, gate, gates, layers, units }, language) {
  const options = gates.map((value) => element("option", { value }, words(language, "gateName", { gate: value })));
  byId("inside-what").replaceChildren(...options, element("option", { value: A_CELL }, words(language, "oneCell")));
  byId("inside-layer").max = layers;
  byId("inside-unit").max = units;
  const [layer, what] = (cell ?? gate).split(".");
  byId("inside-layer").value = layer;
  byId("inside-what").value = gate ? what : A_CELL;
  if (cell) byId("inside-unit").value = what;
  byId("inside-unit").disabled = !cell;
}

function showTinted(found, language, size) {
  const { text, values, quantity, top, middle } = found;
  const number = (value) => new Intl.NumberFormat(language, { maximumFractionDigits: 3 }).format(value);
  const tints = Float32Array.from(values, (value) =>
    value === null ? NaN : quantity === "cell" ? Math.tanh(value) : value - middle,
  );
  const symbols = Array.from(text);
  const box = byId("inside-text").cloneNode(false); // without what the reader before listened to
  byId("inside-text").replaceWith(box);
  const [layer, what] = (found.cell ?? found.gate).split(".");
  const about = found.cell
    ? words(language, "aboutCell", { layer, unit: what })
    : words(language, "aboutGate", { layer, gate: what, mean: number(middle), top: number(top) });
  const cut = size > MOST ? ` ${words(language, "onlyEnd", { characters: MOST })}` : "";
  byId("inside-about").textContent = about + cut;
  byId("inside-facts").replaceChildren();
  const told = (index) => {
    const [sign] = nameOf(symbols[index]);
    const value = values[index];
    const fact = value === null ? words(language, "notRead") : words(language, "valueHere", { value: number(value) });
    return [sign, fact];
  };
  const show = (index) => {
    const [sign, fact] = told(index);
    const heading = element("p", { class: "sign", dir: "auto" }, sign);
    byId("inside-facts").replaceChildren(heading, element("p", {}, fact));
  };
  let hearing = 0;
  const moved = (index, byKey) => {
    show(index);
    clearTimeout(hearing);
    if (byKey) hearing = setTimeout(() => (byId("inside-live").textContent = told(index).join("; ")), HEARD_AFTER);
  };
  const reader = new Reader(box, { text, values: tints, marks: [], top }, {
    moved,
    pointed: (index) => (index ?? reader.cursor) >= 0 && show(index ?? reader.cursor),
  });
}

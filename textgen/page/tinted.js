/** The page of one tinted text: what it says of a character, its scale, and the ways to the places worth seeing. */

import { byId, element } from "./elements.js";
import { panelOf } from "./panels.js";
import { Reader } from "./reader.js";
import { LEVELS, nameOf, shown, tintOf, visible } from "./tint.js";

const LISTED = 20; // lines in the list
const FARTHEST = 3; // how many times as high as at first the deepest tint can be
const MARKS = 200; // marks in the list
const EXCERPT = 80; // characters of a mark in the list
const SPOKEN_AFTER = 250; // ms without another key

const find = (selector) => document.querySelector(selector);

/** An array of numbers, from its bytes in base64 (little-endian, as all machines with browsers are). */
function numbers(kind, packed) {
  const raw = atob(packed);
  const bytes = new Uint8Array(raw.length);
  for (let place = 0; place < raw.length; place++) bytes[place] = raw.charCodeAt(place);
  return new kind(bytes.buffer);
}

function read() {
  const data = JSON.parse(byId("data").textContent);
  data.values = data.values && numbers(Float32Array, data.values);
  data.tints = data.tints.map(({ scale, step, values }) => {
    const whole = numbers(Int16Array, values);
    return { scale, values: Float32Array.from(whole, (value) => (value === -32768 ? NaN : value * step)) };
  });
  if (data.values) data.tints.unshift({ scale: data.scale, values: data.values });
  for (const detail of data.details) detail.values = numbers(Float32Array, detail.values);
  if (data.alternatives) {
    const codes = data.alternatives.symbols.length <= 65536 ? Uint16Array : Uint32Array;
    data.alternatives.codes = numbers(codes, data.alternatives.codes);
    data.alternatives.shares = numbers(Uint16Array, data.alternatives.shares);
  }
  return data;
}

const data = read();
let [{ scale, values } = {}] = data.tints; // those that the text is tinted by
let towards = scale?.cool ? -1 : 1; // the sign of levels of high values
const unit = (name) => (name ? ` ${name}` : "");
const percent = (share) => (share < 0.001 ? "< 0.1 %" : `${shown(share * 100, share < 0.1 ? 1 : 0)} %`);

/** The likeliest characters at a place, with their probabilities. */
function alternativesAt(index) {
  const { codes, shares, width, symbols } = data.alternatives ?? { width: 0 };
  return Array.from({ length: width }, (_, rank) => index * width + rank)
    .filter((place) => shares[place] > 0)
    .map((place) => ({ symbol: symbols[codes[place]], share: shares[place] / 65535 }));
}

/** Name and value of everything that is known of a character. */
function factsAt(index) {
  const own = values ? [{ ...scale, values }] : [];
  return [...own, ...data.details].map(({ name, unit: one, digits, values: all }) => {
    const value = all[index];
    return [name, Number.isNaN(value) ? "none" : `${shown(value, digits)}${unit(one)}`];
  });
}

/** What is said of the marks that a character is in. */
function marksAt(index) {
  return data.marks.filter(([start, end]) => start <= index && index < end).map(([, , label]) => visible(label));
}

function showDetails(index) {
  const symbol = reader.symbolAt(index);
  const [sign, name] = nameOf(symbol);
  const [line, column] = reader.placeOf(index);
  const heading = element("p", {}, element("span", { class: "sign", dir: "auto" }, sign), ` ${name}`);
  const facts = [["line", `${shown(line, 0)}, column ${shown(column, 0)}`], ...factsAt(index)];
  const pairs = facts.map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", {}, value)));
  const list = element("dl", {}, ...pairs);
  const labels = marksAt(index).map((label) => element("p", { class: "label", dir: "auto" }, label));
  byId("facts").replaceChildren(heading, list, ...labels, ...likeliest(index, symbol));
}

function likeliest(index, actual) {
  const rows = alternativesAt(index).map(({ symbol, share }) => {
    const [sign, name] = nameOf(symbol);
    const bar = element("span", { class: "bar", "aria-hidden": "true" });
    bar.style.setProperty("--share", share);
    const header = element("th", { scope: "row", class: "sign", title: name, dir: "auto" }, sign);
    const row = element("tr", {}, header, element("td", {}, percent(share)), element("td", {}, bar));
    row.classList.toggle("actual", symbol === actual);
    return row;
  });
  if (!rows.length) return [];
  return [element("table", {}, element("caption", {}, "Likeliest here"), element("tbody", {}, ...rows))];
}

function spoken(index) {
  const quoted = (symbol) => {
    const [sign, name] = nameOf(symbol);
    return name.startsWith("U+") ? sign : name;
  };
  const facts = factsAt(index).map(([name, value]) => `${name} ${value}`);
  const others = alternativesAt(index).map(({ symbol, share }) => `${quoted(symbol)} ${percent(share)}`);
  const likely = others.length ? [`likeliest: ${others.join(", ")}`] : [];
  return [quoted(reader.symbolAt(index)), ...facts, ...marksAt(index), ...likely].join("; ");
}

let timer = 0;

function say(index) {
  clearTimeout(timer);
  timer = setTimeout(() => (byId("live").textContent = spoken(index)), SPOKEN_AFTER);
}

const reader = new Reader(byId("text"), { ...data, top: towards * scale?.top }, {
  moved(index, byKey) {
    showDetails(index);
    if (byKey) say(index);
  },
  pointed(index) {
    const place = index ?? reader.cursor;
    if (place >= 0) showDetails(place);
  },
});

function goTo(index) {
  byId("text").focus({ preventScroll: true });
  reader.moveTo(index, true);
}

/** An entry of a list: a number, what it is of, the text there, and the way to the character that `target` names. */
function entry(number, what, text, target) {
  const excerpt = element("span", { class: "excerpt", dir: "auto" }, visible(text));
  const value = element("span", { class: "mean" }, number);
  const onclick = () => goTo(target());
  return element("li", {}, element("button", { type: "button", onclick }, value, ` ${what}`, excerpt));
}

/** A step of about a fiftieth of a length: 1, 2 or 5 times a power of ten. */
function stepFor(length) {
  const rough = length / 50;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((times) => times * power >= rough) ?? 10);
}

function setUpScale() {
  byId("scale-heading").textContent = scale.name;
  const levels = Array.from({ length: LEVELS + 1 }, (_, level) => level);
  const shades = scale.diverging ? [...levels.slice(1).reverse().map((level) => -level), ...levels] : levels;
  const swatch = (level) => element("span", { class: `swatch ${tintOf(towards * level)}` });
  byId("legend").replaceChildren(...shades.map(swatch));
  const slider = byId("top");
  const most = values.reduce((high, value) => (Math.abs(value) > high ? Math.abs(value) : high), scale.top);
  const largest = Math.min(most, scale.top * FARTHEST);
  const step = stepFor(largest);
  Object.assign(slider, { step, min: step, max: Math.ceil(largest / step - 1e-9) * step, value: scale.top });
  slider.oninput = () => setTop(slider.valueAsNumber, step);
  setTop(scale.top, step);
}

function setTop(top, step) {
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  const most = `${shown(top, digits)}${unit(scale.unit)}`;
  byId("top-shown").textContent = most;
  byId("top").setAttribute("aria-valuetext", most);
  const [low, high] = byId("ends").children;
  low.textContent = `${scale.diverging ? `−${most}` : "0"}\n${scale.low}`;
  high.textContent = `${most}\n${scale.high}`;
  if (reader.top !== towards * top) reader.tintTo(towards * top);
}

/** Stretches of lines that the list is made of: a line, or of a long one each sentence or so. */
function stretches() {
  const found = [];
  for (const { start, symbols } of reader.paragraphs) {
    const [line] = reader.placeOf(start);
    let from = start;
    for (const [piece] of symbols.join("").matchAll(/.{40,200}?[。．.!?！？」”](?!.{0,20}$)\s*|.{1,240}/gsu)) {
      const size = Array.from(piece).length;
      const here = values.subarray(from, from + size).filter((value) => !Number.isNaN(value));
      const text = piece.trim();
      const mean = here.reduce((sum, value) => sum + value, 0) / here.length;
      if (here.length && text) found.push({ start: from, size, line, text, mean });
      from += size;
    }
  }
  return found.sort((one, other) => other.mean - one.mean);
}

/** The character with the highest value from `start` on. */
function highest(start, size) {
  let best = start;
  for (let index = start; index < start + size; index++) {
    if (!(values[index] <= values[best])) best = Number.isNaN(values[index]) ? best : index;
  }
  return best;
}

function setUpLines() {
  byId("lines-heading").textContent = scale.lines;
  const all = stretches();
  const long = all.filter(({ text }) => text.length >= 12); // the mean of a few characters says little
  const search = byId("search");
  const refresh = () => showLines(search.value, search.value || !long.length ? all : long);
  search.oninput = refresh;
  refresh();
}

function showLines(words, candidates) {
  const wanted = words.toLocaleLowerCase();
  const found = candidates.filter(({ text }) => text.toLocaleLowerCase().includes(wanted));
  const rows = found.slice(0, LISTED).map(({ start, size, line, text, mean }) => {
    const value = `${shown(mean, scale.digits)}${unit(scale.unit)}`;
    return entry(value, `line ${shown(line, 0)}`, text, () => highest(start, size));
  });
  find("#lines ol").replaceChildren(...rows);
  const many = `${shown(found.length, 0)} line${found.length === 1 ? "" : "s"}`;
  const told = found.length > rows.length ? `${rows.length} of ${many}` : words ? many : "";
  find("#lines .note").textContent = found.length ? told : "No such line";
}

/** Tint by another of the tints. */
function tintBy(number) {
  ({ scale, values } = data.tints[number]);
  towards = scale.cool ? -1 : 1;
  byId("tint").value = number;
  reader.tintBy(values, towards * scale.top);
  setUpScale();
  setUpLines();
  if (reader.cursor >= 0) showDetails(reader.cursor);
}

function setUpTints() {
  const options = data.tints.map((tint, value) => element("option", { value }, tint.scale.name));
  byId("tint").replaceChildren(...options);
  byId("tint").addEventListener("change", ({ target }) => tintBy(Number(target.value)));
  byId("tint-choice").hidden = false;
}

function setUpMarks() {
  byId("marks-heading").textContent = data.marksName;
  const rows = data.marks.slice(0, MARKS).map(([start, end, label]) => {
    const places = Array.from({ length: Math.min(end - start, EXCERPT) }, (_, place) => start + place);
    const text = places.map((index) => reader.symbolAt(index)).join("");
    const size = `${shown(end - start, 0)} character${end - start === 1 ? "" : "s"}`;
    return entry(size, visible(label), text, () => start);
  });
  find("#marks ol").replaceChildren(...rows);
  if (data.marks.length > MARKS) find("#marks .note").textContent = `${MARKS} of ${shown(data.marks.length, 0)}`;
}

byId("title").textContent = visible(data.title);
byId("summary").textContent = visible(data.summary);
byId("text").lang = data.language;
byId("vertical").addEventListener("change", (event) => {
  byId("text").classList.toggle("vertical", event.target.checked);
  if (reader.cursor >= 0) reader.moveTo(reader.cursor, false);
});
addEventListener("beforeprint", () => reader.tintAll());
if (data.values) {
  setUpScale();
  setUpLines();
}
if (data.tints.length > 1) setUpTints();
if (data.marks.length) setUpMarks();
byId("panels").append(...data.panels.map((panel) => panelOf(panel, { goTo, tintBy })));
byId("panels").hidden = !data.panels.length;
byId("scale").hidden = byId("lines").hidden = !data.values;
byId("details").classList.toggle("short", !data.alternatives);
byId("marks").hidden = !data.marks.length;
if (!data.values && data.marks.length) byId("text").classList.add("marked");

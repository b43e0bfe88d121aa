// Shows how surprising each character of the notebook is to the model, and what else could stand in its place.

import { byId, element } from "./elements.js";
import { wellFormed } from "./notebook.js";
import { problemOf } from "./problem.js";
import { Reader } from "./reader.js";
import { words } from "./texts.js";
import { LEVELS, nameOf, tintOf } from "./tint.js";
import { turn } from "./writing.js";

const TOP = 8; // bits of the deepest tint
const BEFORE = 500; // characters read before those that are judged: more change nothing that can be seen
const CHOICES = 5;
const LEAST_SHARE = 0.001; // below it, a share is no more than small
const SPOKEN_AFTER = 250; // milliseconds without another key

/** Show the notebook tinted, if the tab is open and does not show it yet. */
export function see(page) {
  const { tab, writing, model, history, language } = page.state;
  const { text } = history.notebook;
  const shown = page.seen;
  if (tab !== "see" || writing || !page.store) return;
  if (shown && shown.text === text && shown.model === model && shown.language === language) return;
  shown?.controller.abort();
  byId("see-empty").hidden = text !== "";
  byId("see-desk").hidden = text === "";
  byId("see-facts").replaceChildren();
  page.seen = { text, model, language, controller: new AbortController() };
  if (text) openReader(page, page.seen);
}

function openReader(page, seen) {
  const symbols = Array.from(seen.text);
  const values = new Float32Array(symbols.length).fill(NaN);
  const facts = new Map(); // of each character that was judged
  const waiting = new Set(); // blocks that came near and are not judged yet
  let judging = false;
  const box = byId("see-text").cloneNode(false); // without what the reader before listened to
  byId("see-text").replaceWith(box);
  const content = { text: seen.text, values, marks: [], top: TOP };
  const reader = new Reader(box, content, { moved: show, pointed: () => undefined });
  const observer = new IntersectionObserver(come, { root: box, rootMargin: "50%" });
  for (const block of reader.blocks.keys()) observer.observe(block);
  seen.controller.signal.addEventListener("abort", () => observer.disconnect());
  reader.moveTo(Array.from(seen.text.slice(0, page.editor.caret())).length, false);

  function come(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting && !target.dataset.judged) waiting.add(target);
      else waiting.delete(target);
    }
    if (!judging) judge();
  }

  async function judge() {
    judging = true;
    for (let [block] = waiting; block && !seen.controller.signal.aborted; [block] = waiting) {
      waiting.delete(block);
      if (!(await judgeBlock(block))) break;
    }
    judging = false;
  }

  /** Ask what the model makes of a block's characters; false if it cannot be asked. */
  async function judgeBlock(block) {
    const paragraphs = reader.blocks.get(block);
    const start = paragraphs[0].start;
    const last = paragraphs.at(-1);
    const end = last.start + last.symbols.length + Number(last.ends);
    const from = Math.max(0, start - BEFORE);
    const text = symbols.slice(from, end).join("");
    try {
      const judged = await page.home.writerOf(seen.model).surprisal(wellFormed(text), seen.controller.signal);
      judged.slice(start - from).forEach((fact, number) => {
        values[start + number] = fact.bits ?? NaN;
        facts.set(start + number, fact);
      });
    } catch (error) {
      if (error.name === "AbortError") return false;
      page.update({ problem: { problem: problemOf(error), retry: () => again(block) } });
      return false;
    }
    block.dataset.judged = "yes";
    reader.tintTo(TOP);
    if (reader.cursor >= start && reader.cursor < end) show(reader.cursor, false);
    return true;
  }

  function again(block) {
    page.update({ problem: null });
    waiting.add(block);
    judge();
  }

  function show(index, byKey) {
    const fact = facts.get(index);
    byId("see-facts").replaceChildren(...details(page, seen, symbols, index, fact));
    if (byKey) speak(byId("see-live"), spoken(seen.language, symbols[index], fact));
  }
}

let speaking = 0;

function speak(live, text) {
  clearTimeout(speaking);
  speaking = setTimeout(() => (live.textContent = text), SPOKEN_AFTER);
}

const SPACES = { " ": "space", "\n": "newLine", "\t": "tab", "\u3000": "wideSpace" };

function shownAs(language, symbol) {
  if (symbol in SPACES) return words(language, SPACES[symbol]);
  const [sign, name] = nameOf(symbol);
  return name.startsWith("U+") ? sign : name;
}

function percent(language, share) {
  const format = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: share < 0.1 ? 1 : 0 });
  return share < LEAST_SHARE ? `< ${format.format(LEAST_SHARE)}` : format.format(share);
}

function measures(language, { bits, rank }) {
  if (bits === null || bits === undefined) return words(language, "notJudged");
  const shown = new Intl.NumberFormat(language, { maximumFractionDigits: 2 }).format(bits);
  return words(language, "judged", { bits: shown, rank });
}

function spoken(language, symbol, fact) {
  if (!fact) return shownAs(language, symbol);
  if (!fact.likeliest.length) return `${shownAs(language, symbol)}; ${measures(language, fact)}`;
  const choices = fact.likeliest.slice(0, CHOICES);
  const others = choices.map(([other, share]) => `${shownAs(language, other)} ${percent(language, share)}`).join(", ");
  return [shownAs(language, symbol), measures(language, fact), `${words(language, "likeliest")}: ${others}`].join("; ");
}

function details(page, { language, text }, symbols, index, fact) {
  const heading = element("p", { class: "sign", dir: "auto" }, shownAs(language, symbols[index]));
  if (!fact) return [heading, element("p", {}, words(language, "judging"))];
  const rows = fact.likeliest.slice(0, CHOICES).map(([symbol, share]) => {
    const isHere = symbol === symbols[index];
    const at = symbols.slice(0, index).join("").length;
    const choose = () => turn(page, at, endOf(page.state.history.notebook, at), symbol);
    const label = words(language, isHere ? "standsHere" : "goOnWith", { symbol: shownAs(language, symbol) });
    const button = element("button", { onclick: choose, disabled: isHere, "aria-label": label }, shownAs(language, symbol));
    const bar = element("meter", { min: 0, max: 1, value: share, "aria-hidden": "true" });
    return element("li", {}, button, bar, element("span", {}, percent(language, share)));
  });
  if (!rows.length) return [heading, element("p", {}, measures(language, fact))];
  const title = element("h2", { id: "choices-title" }, words(language, "likeliest"));
  const list = element("ol", { "aria-labelledby": "choices-title" }, ...rows);
  return [heading, element("p", {}, measures(language, fact)), title, list];
}

/** Where that ends which a new way replaces: what the model wrote here, or else the paragraph. */
function endOf({ text, runs }, at) {
  const run = runs.find(([start, end]) => start <= at && at < end);
  if (run) return run[1];
  const line = text.indexOf("\n", at + 1);
  return line < 0 ? text.length : line;
}

/** Draw the scale of the tints. */
export function drawScale() {
  const levels = Array.from({ length: LEVELS + 1 }, (_, level) => element("span", { class: tintOf(level) }));
  byId("see-scale").replaceChildren("0", ...levels, `${TOP}`);
}

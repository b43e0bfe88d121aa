// The texts to train on: dropped, chosen, looked at, and what is found in them in a person's words.

import { byId, element } from "./elements.js";
import { problemOf } from "./problem.js";
import { remembered, remember } from "./storage.js";
import { words } from "./texts.js";

const LEAST = 2_000; // characters, with fewer of which nothing is learnt but them
const LITTLE = 50_000; // characters with which a model learns to spell, and little more
const SMALL = 500_000; // and with which it learns names and manner

/** Set up the form for a new training; `started(run)` is told of the run that it begins. */
export function setUpMaterial(page, trainings, started) {
  const texts = remembered("texts", []); // {name, report, choice} or {name, problem}
  const minutes = byId("minutes");

  async function add(name, look, choice) {
    const text = { name };
    texts.push(text);
    show();
    try {
      text.report = await look();
      text.choice = choice(text.report);
    } catch (error) {
      text.problem = problemOf(error);
    }
    show();
  }

  function addFiles(files) {
    for (const file of files) add(file.name, () => trainings.upload(file), ({ upload }) => ({ upload }));
  }

  function show() {
    const { language } = page.state;
    remember("texts", texts.filter((text) => text.choice));
    byId("texts").replaceChildren(...texts.map((text) => itemOfText(language, text, () => remove(text))));
    const ready = texts.length > 0 && texts.every((text) => text.choice);
    byId("start").disabled = !ready;
    const reports = texts.flatMap(({ report }) => report ?? []);
    const marks = marksOf(reports);
    byId("strip").parentElement.hidden = marks === null;
    byId("marks").textContent = marks === null ? "" : toldMarks(language, marks);
    const characters = reports.reduce((sum, report) => sum + report.characters, 0);
    const left = characters - (byId("strip").checked ? (marks?.characters ?? 0) : 0);
    byId("expect").textContent = reports.length ? words(language, expectation(left), { least: LITTLE }) : "";
  }

  function remove(text) {
    texts.splice(texts.indexOf(text), 1);
    show();
    byId("files").focus();
  }

  async function start(event) {
    event.preventDefault();
    const order = { texts: texts.map(({ choice }) => choice), minutes: minutes.valueAsNumber };
    order.strip = byId("strip").checked && !byId("strip").parentElement.hidden;
    byId("start").disabled = true;
    try {
      const run = await trainings.start(order);
      texts.length = 0;
      page.update({ problem: null, notice: ["trainingBegun", { name: run.id }] });
      started(run);
    } catch (error) {
      page.update({ problem: { problem: problemOf(error) } });
    }
    show();
  }

  byId("files").addEventListener("change", ({ target }) => {
    addFiles(target.files);
    target.value = "";
  });
  const drop = byId("drop");
  drop.addEventListener("dragover", (event) => event.preventDefault());
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    addFiles(event.dataTransfer.files);
  });
  byId("catalog").addEventListener("change", ({ target }) => {
    const name = target.value;
    target.value = "";
    if (name) add(name, () => trainings.look(name), () => ({ catalog: name }));
  });
  byId("strip").addEventListener("change", show);
  byId("new-training").addEventListener("submit", start);
  trainings.catalog().then(
    (found) => byId("catalog").append(...found.map(({ name, title, author }) => optionOf(name, title, author))),
    () => undefined, // the problem is told where the trainings are asked for
  );
  show();
  return show;
}

const optionOf = (name, title, author) => element("option", { value: name }, author ? `${title} (${author})` : title);

function itemOfText(language, text, remove) {
  const say = (key, values) => words(language, key, values);
  const lines = text.problem
    ? [say(text.problem.kind === "refused" ? "noText" : text.problem.kind, text.problem.details)]
    : text.report
      ? reportOf(text.report, say)
      : [say("looking")];
  const button = element("button", { type: "button", onclick: remove }, say("remove"));
  button.setAttribute("aria-label", `${say("remove")}: ${text.name}`);
  const list = lines.map((line) => element("p", { class: text.problem ? "wrong" : null }, line));
  return element("li", {}, element("strong", { dir: "auto" }, text.name), ...list, button);
}

/** What was found in a text, in sentences. */
function reportOf({ characters, sources, skipped }, say) {
  const lines = [say("found", { characters })];
  const guessed = sources.find(({ how }) => how === "guessed");
  if (guessed) lines.push(say("guessed", { encoding: guessed.encoding, line: guessed.line ?? "" }));
  if (guessed?.rival) lines.push(say("rival", { encoding: guessed.rival, line: guessed.rival_line ?? "" }));
  const marked = sources.find(({ removed }) => removed);
  if (marked) lines.push(say("marked", { library: marked.removed.library ?? "" }));
  if (skipped) lines.push(say("skippedFiles", { count: skipped }));
  return lines;
}

/** What can be expected of a training on so many characters. */
function expectation(characters) {
  if (characters < LEAST) return "tinyText";
  return characters < LITTLE ? "littleText" : characters < SMALL ? "smallText" : "enoughText";
}

/** How much of the texts libraries have added, or null where nothing was recognised. */
function marksOf(reports) {
  const found = reports.flatMap(({ sources }) => sources.flatMap(({ removed }) => removed ?? []));
  if (!found.length) return null;
  const sum = (...names) => found.reduce((all, one) => names.reduce((total, name) => total + one[name], all), 0);
  return {
    characters: sum("characters"),
    markFrames: sum("headers", "footers"),
    markReadings: sum("readings"),
    markNotes: sum("notes"),
  };
}

function toldMarks(language, { characters, ...counts }) {
  const parts = Object.entries(counts).filter(([, count]) => count);
  const told = parts.map(([key, count]) => words(language, key, { count }));
  return words(language, "marks", { parts: told.join(language === "ja" ? "、" : ", "), characters });
}

// Trainings: started, watched, stopped and resumed. The run folder on the server is the truth; this only shows it.

import { curveOf } from "./curve.js";
import { byId, element } from "./elements.js";
import { setUpMaterial } from "./material.js";
import { problemOf } from "./problem.js";
import { remembered } from "./storage.js";
import { words } from "./texts.js";

const EVERY = 1000; // milliseconds between two looks at the trainings, while they are in sight
const SAMPLES = 10; // that are shown
const ACTIVE = ["queued", "running", "stopping"];

/** Show the tab, if the server trains. */
export async function setUpTraining(page, trainings) {
  try {
    if (!(await trainings.areOn())) return;
    await trainings.all();
  } catch {
    return; // the page writes on without
  }
  byId("tab-train").hidden = false;
  if (remembered("tab") === "train" && !page.state.writing) page.update({ tab: "train" }); // the page was loaded again
  const shown = { runs: "", run: "" }; // what is on the page, so that only what has changed is made anew
  let chosen = null;
  const showTexts = setUpMaterial(page, trainings, (run) => {
    chosen = run.id;
    look();
  });

  async function look() {
    try {
      const runs = await trainings.all();
      chosen ??= (runs.find(({ state }) => ACTIVE.includes(state)) ?? runs[0])?.id ?? null;
      if (!runs.some(({ id }) => id === chosen)) chosen = runs[0]?.id ?? null;
      showRuns(runs);
      showRun(chosen === null ? null : await trainings.tell(chosen));
      if (page.state.problem?.training) page.update({ problem: null });
    } catch (error) {
      if (!page.state.problem) page.update({ problem: { problem: problemOf(error), training: true } });
    }
  }

  async function watch() {
    if (page.state.tab === "train" && !document.hidden) {
      if (shown.language !== page.state.language) {
        Object.assign(shown, { runs: "", run: "", language: page.state.language });
        showTexts();
      }
      await look();
    }
    setTimeout(watch, EVERY);
  }

  async function act(does, name) {
    try {
      await does();
      page.update({ problem: null });
    } catch (error) {
      page.update({ problem: { problem: problemOf(error) } });
    }
    if (name === "finished") await page.loadModels();
    await look();
  }

  function showRuns(runs) {
    const { language } = page.state;
    const key = JSON.stringify([runs.map(({ id, state, place }) => [id, state, place]), chosen]);
    if (shown.runs === key) return;
    shown.runs = key;
    const choose = (id) => {
      chosen = id;
      look();
    };
    const items = runs.map((run) => {
      const label = `${run.id}: ${words(language, `run_${run.state}`, { place: run.place ?? "" })}`;
      const current = run.id === chosen ? "true" : null;
      return element("li", {}, element("button", { onclick: () => choose(run.id), "aria-current": current }, label));
    });
    const focused = [...byId("runs").querySelectorAll("button")].indexOf(document.activeElement);
    byId("runs").replaceChildren(...(items.length ? items : [words(language, "noRuns")]));
    byId("runs").querySelectorAll("button")[focused]?.focus();
    page.loadModels(); // a run that has ended is a model
  }

  function showRun(run) {
    const key = JSON.stringify(run);
    if (shown.run === key) return;
    shown.run = key;
    byId("run").hidden = run === null;
    if (run === null) return;
    const { language } = page.state;
    const focused = document.activeElement?.dataset.action;
    byId("run-name").textContent = run.id;
    byId("run-state").textContent = stateOf(run, language);
    byId("run-buttons").replaceChildren(...buttonsOf(run));
    byId("run-curve").replaceChildren(...drawingOf(run, language));
    const newest = run.samples.toReversed().slice(0, SAMPLES);
    byId("run-samples").replaceChildren(...newest.map((sample) => itemOfSample(sample, language)));
    byId("run-samples").parentElement.hidden = !newest.length;
    const buttons = [...byId("run-buttons").children];
    if (focused) (buttons.find(({ dataset }) => dataset.action === focused) ?? buttons[0])?.focus();
  }

  function buttonsOf({ id, state, model, place }) {
    const { language } = page.state;
    const button = (action, does) =>
      element("button", { "data-action": action, onclick: does }, words(language, action));
    const ask = () => confirm(words(language, "reallyDelete", { name: id })) && act(() => trainings.remove(id), "finished");
    const write = () => page.update({ model: id, tab: "write" });
    return [
      ...(["running", "queued"].includes(state) ? [button("stopTraining", () => act(() => trainings.act(id, "stop")))] : []),
      ...(["stopped", "failed"].includes(state) ? [button("resume", () => act(() => trainings.act(id, "resume")))] : []),
      ...(model ? [button("writeWith", () => page.loadModels().then(write))] : []),
      ...(["running", "stopping", "elsewhere"].includes(state) ? [] : [button("deleteRun", ask)]),
    ];
  }

  watch();
}

/** A text of the model at a time when it was the best so far. */
function itemOfSample({ sample, validation_nats: nats }, language) {
  const bits = nats === null ? "" : words(language, "sampleAt", { bits: (nats / Math.log(2)).toFixed(2) });
  return element("li", {}, element("p", { dir: "auto" }, sample), element("small", {}, bits));
}

/** What is so with a run, and at its end the verdict. */
function stateOf(run, language) {
  const say = (key, values) => words(language, key, values);
  const lines = [say(`run_${run.state}`, { place: run.place ?? "" })];
  if (run.problem) lines.push(run.problem === "interrupted" ? say("interrupted") : run.problem);
  if (run.seconds_left !== null && run.seconds_left !== undefined) {
    lines.push(say("timeLeft", { minutes: Math.max(1, Math.ceil(run.seconds_left / 60)) }));
  }
  if (["finished", "stopped"].includes(run.state)) lines.push(...verdictOf(run, say));
  return lines.join(" · ");
}

/** How well it predicts the held-out text, beside an n-gram where its loss is known. */
function verdictOf(run, say) {
  const best = run.validation_nats ?? Math.min(...run.rows.map((row) => row[3] ?? Infinity));
  if (!Number.isFinite(best)) return [];
  const level = levelOfNgram(run);
  const bits = (best / Math.log(2)).toFixed(2);
  if (level === null) return [say("withoutNgram", { bits })];
  const ngram = (level / Math.log(2)).toFixed(2);
  const kind = bits === ngram ? "asGoodAsNgram" : best < level ? "betterThanNgram" : "worseThanNgram";
  return [say(kind, { bits, ngram })];
}

const levelOfNgram = ({ baselines }) => baselines.find(({ name }) => name.includes("gram"))?.nats ?? null;

function drawingOf(run, language) {
  const number = (value) => new Intl.NumberFormat(language, { maximumFractionDigits: 2 }).format(value);
  const last = run.rows.at(-1);
  const bits = last && last[3] !== null ? last[3] / Math.log(2) : null;
  const drawing = curveOf(run.rows, levelOfNgram(run), {
    number,
    label: words(language, "curveLabel", { bits: bits === null ? "" : number(bits) }),
    level: words(language, "ngram"),
    time: words(language, "afterMinutes", { minutes: number((last?.[1] ?? 0) / 60) }),
  });
  return drawing ? [drawing] : [];
}

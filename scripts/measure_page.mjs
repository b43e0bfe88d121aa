// Measures how fast the page in an HTML file of `textgen export` writes; the page's modules lie beside this one.

import { readFileSync } from "node:fs";
import { writerOf } from "./model.js";
import { unpacked } from "./payload.js";

const CHARACTERS = 4000;
const ROUNDS = 4; // the first one compiles
const PROMPT = 2000; // characters that the page has read before it goes on

const page = readFileSync(process.argv[2], "utf8");
const told = JSON.parse(/<script[^>]*type="application\/json"[^>]*>(.*?)<\/script>/s.exec(page)[1]);
const pieces = [...page.matchAll(/class="model-piece">(.*?)<\/script>/gs)].map((found) => found[1]);

const { took: unpacking, result: model } = await timed(() => unpacked(told, pieces));
console.log(`unpacked in ${(1000 * unpacking.wall).toFixed(0)} ms`);

const writer = writerOf(model);
const settings = { prompt: "", temperature: 0.7, topK: null, topP: null, minP: null, length: CHARACTERS, sentence: false };
for (let round = 0; round < ROUNDS; round += 1) {
  let text = "";
  let longest = 0;
  let last = performance.now();
  const { took } = await timed(() => writer.write({ ...settings, rngSeed: round }, take));
  console.log(`${speedOf(took)}; ${longest.toFixed(0)} ms at most between two pieces`);
  const reading = await timed(() => writer.write({ ...settings, prompt: text.slice(-PROMPT), length: 1 }, () => null));
  console.log(`  first character after ${PROMPT.toLocaleString("en")}: ${(1000 * reading.took.wall).toFixed(0)} ms`);

  function take(piece) {
    text += piece;
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }
}
console.log(`memory: ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB with Node's own and the file`);

/** What a call gives, and the seconds that it took: of the clock, and of the processor. */
async function timed(call) {
  const [before, began] = [process.cpuUsage(), performance.now()];
  const result = await call();
  const { user, system } = process.cpuUsage(before);
  return { result, took: { wall: (performance.now() - began) / 1000, processor: (user + system) / 1e6 } };
}

function speedOf({ wall, processor }) {
  const [whole, own] = [wall, processor].map((seconds) => Math.round(CHARACTERS / seconds).toLocaleString("en"));
  return `${whole} characters a second, ${own} in a second of the processor`;
}

// The page as a file: it carries its model, and a writer of its own that needs no server.

import { byId } from "./elements.js";
import { ENGLISH_IN_FILE } from "./english.js";
import { JAPANESE_IN_FILE } from "./japanese.js";
import { writerOf } from "./model.js";
import { start } from "./page.js";
import { unpacked } from "./payload.js";
import { reword } from "./texts.js";

/** What the file says of itself and its model; nothing if it is damaged there. */
function readData() {
  try {
    return JSON.parse(byId("data").textContent);
  } catch {
    return {};
  }
}

/** The pieces of the model, each removed from the page when it is taken. */
function* takenPieces() {
  for (const node of [...document.querySelectorAll("script.model-piece")]) {
    yield node.textContent;
    node.remove();
  }
}

function home({ title, key, notebook, language, seed, ...told }) {
  let writer = null;
  return {
    name: `textgen-${notebook}`, // other files' notebooks may lie in the same storage
    language,
    seed,
    async models() {
      const model = unpacked(told, takenPieces());
      writer = writerOf(model);
      return [{ id: key, title, language: model.language }];
    },
    writerOf: () => writer,
  };
}

const file = readData();
reword({ en: ENGLISH_IN_FILE, ja: JAPANESE_IN_FILE });
if (file.title) document.querySelector("h1").textContent = file.title;
start(home(file));

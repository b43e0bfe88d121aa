// The trainings of the served page: what it asks the server for them.

import { asked } from "./api.js";

const answer = async (path, options) => (await asked(path, options)).json();
const runPath = (id) => `app/runs/${encodeURIComponent(id)}`;

export const trainings = {
  /** Whether this server trains. */
  areOn: async () => (await answer("app/settings")).training,
  catalog: () => answer("app/catalog"),
  /** Upload a file, or look at a text of the catalog: what is found in it. */
  upload: (file) => answer(`app/texts?${new URLSearchParams({ name: file.name })}`, { method: "POST", content: file }),
  look: (name) => answer(`app/catalog/${encodeURIComponent(name)}`),
  start: (order) => answer("app/runs", { body: order }),
  all: async () => (await answer("app/runs")).runs,
  tell: (id) => answer(runPath(id)),
  /** `stop` or `resume` a run. */
  act: (id, word) => answer(`${runPath(id)}/${word}`, { method: "POST" }),
  remove: (id) => answer(runPath(id), { method: "DELETE" }),
};

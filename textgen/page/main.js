// The served page: the page, with a writer that asks the API.

import { asked, models, writerOf } from "./api.js";
import { setUpInspection } from "./inside.js";
import { start } from "./page.js";
import { setUpTraining } from "./train.js";
import { trainings } from "./trainings.js";

const inspect = async (body, signal) => (await asked("v1/inspect", { body, signal })).json();

start({ models, writerOf }).then((page) => {
  setUpInspection(page, inspect);
  setUpTraining(page, trainings);
});

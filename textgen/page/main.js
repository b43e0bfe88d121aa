// The served page: the page, with a writer that asks the API.

import { models, writerOf } from "./api.js";
import { start } from "./page.js";
import { setUpTraining } from "./train.js";
import { trainings } from "./trainings.js";

start({ models, writerOf }).then((page) => setUpTraining(page, trainings));

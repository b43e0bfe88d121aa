// The served page: the page, with a writer that asks the API.

import { models, writerOf } from "./api.js";
import { start } from "./page.js";

start({ models, writerOf });

// The page's words, in the language of the browser or the one that is chosen.

import { ENGLISH } from "./english.js";
import { JAPANESE } from "./japanese.js";

export const LANGUAGES = { en: ENGLISH, ja: JAPANESE };

/** Say some things in other words, which `own` has for each language. */
export function reword(own) {
  for (const [language, texts] of Object.entries(own)) Object.assign(LANGUAGES[language], texts);
}

/** The language of the page for a browser's languages. */
export function languageOf(preferred) {
  for (const name of preferred) {
    const language = name.toLowerCase().split("-")[0];
    if (language in LANGUAGES) return language;
  }
  return "en";
}

/** A text of the page, with its {places} filled; numbers are written as the language does. */
export function words(language, key, values = {}) {
  return LANGUAGES[language][key].replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? new Intl.NumberFormat(language).format(value) : value;
  });
}

/** Put the words of a language into all elements that name them: `data-words`, `data-hint`, `data-label`. */
export function translate(root, language) {
  for (const node of root.querySelectorAll("[data-words]")) node.textContent = words(language, node.dataset.words);
  for (const node of root.querySelectorAll("[data-hint]")) node.title = words(language, node.dataset.hint);
  for (const node of root.querySelectorAll("[data-label]")) {
    node.setAttribute("aria-label", words(language, node.dataset.label));
  }
  for (const node of root.querySelectorAll("[data-placeholder]")) {
    node.placeholder = words(language, node.dataset.placeholder);
  }
}

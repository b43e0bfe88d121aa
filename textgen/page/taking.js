// Takes a text along: as a copy, a file, or a link that gives the same text again.

import { lastWritten } from "./history.js";
import { linkOf } from "./settings.js";
import { askAt } from "./writing.js";

export async function copyText(page) {
  const { notebook } = page.state.history;
  const copied = await copy(notebook.text);
  page.update({ notice: [copied ? "copied" : "notCopied"] });
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text); // absent where the page came over plain HTTP from another machine
    return true;
  } catch {
    return false;
  }
}

export function download(page) {
  const { text } = page.state.history.notebook;
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = "textgen.txt";
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}

/** Copy, and show, the link of what the model wrote last; where it wrote nothing yet, of what it would write now. */
export async function copyLink(page) {
  const ask = lastWritten(page.state.history)?.ask ?? askAt(page, page.editor.caret());
  if (!ask) return;
  const link = location.href.replace(/#.*/s, "") + linkOf(ask);
  const copied = await copy(link);
  page.update({ link, notice: [copied ? "linked" : "linkShown"] });
}

// The list of versions, to go back to any of them.

import { byId, element } from "./elements.js";
import { milestones } from "./history.js";
import { words } from "./texts.js";

const PAGE = 50; // versions shown at once
const EXCERPT = 100; // characters of each

const ORIGINS = { typed: "typed", written: "written", way: "chosenWay", opened: "openedLink", given: "given", turned: "turned" };

export function openVersions(page) {
  const dialog = byId("versions-dialog");
  let shown = PAGE;
  const show = () => {
    const found = milestones(page.state.history);
    const items = found.slice(0, shown).map((version) => itemOf(page, version, dialog));
    byId("versions-list").replaceChildren(...(items.length ? items : [words(page.state.language, "noVersions")]));
    byId("versions-more").hidden = found.length <= shown;
  };
  byId("versions-more").onclick = () => {
    shown += PAGE;
    show();
  };
  byId("versions-close").onclick = () => dialog.close();
  show();
  dialog.showModal();
}

function itemOf({ state, go }, version, dialog) {
  const { language, history } = state;
  const time = new Date(version.time);
  const shown = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(time);
  const text = version.inserted.text.trim();
  const excerpt = text.length > EXCERPT ? `${text.slice(0, EXCERPT)}…` : text || words(language, "emptyText");
  const label = element("p", {}, element("time", { datetime: time.toISOString() }, shown));
  label.append(` · ${words(language, ORIGINS[version.how] ?? "typed")}`);
  const back = () => {
    dialog.close();
    go(version.id, "undone");
  };
  const isHere = version.id === history.head;
  const button = element("button", { onclick: back, disabled: isHere }, words(language, isHere ? "here" : "goBack"));
  return element("li", {}, label, element("p", { class: "excerpt", dir: "auto" }, excerpt), button);
}

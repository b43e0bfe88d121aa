// Keeps versions and settings in the browser: IndexedDB, or memory where the browser gives none.

const VERSIONS = "versions";

let keptUnder = "textgen"; // the name of all that is kept

/** Keep all under a name of its own: pages that are opened as files may share one storage. */
export const keepUnder = (name) => (keptUnder = name);

/** Open the store. `lasts` is false where what it keeps is gone when the page is closed. */
export async function openStore() {
  try {
    const database = await openDatabase(keptUnder);
    return {
      lasts: true,
      versions: () => resultOf(database.transaction(VERSIONS).objectStore(VERSIONS).getAll()),
      keep: (version) => resultOf(database.transaction(VERSIONS, "readwrite").objectStore(VERSIONS).put(version)),
    };
  } catch {
    return { lasts: false, versions: async () => [], keep: async () => undefined };
  }
}

function openDatabase(name) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(VERSIONS, { keyPath: "id" });
  return resultOf(request);
}

function resultOf(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });
}

/** A small value that outlives a reload. A tab has its own, and a new tab begins with that of the last one. */
export function remembered(name, otherwise = null) {
  for (const box of boxes()) {
    try {
      const value = box().getItem(`${keptUnder}.${name}`);
      if (value !== null) return JSON.parse(value);
    } catch {
      // no such box, or what lies in it is not ours
    }
  }
  return otherwise;
}

export function remember(name, value) {
  for (const box of boxes()) {
    try {
      box().setItem(`${keptUnder}.${name}`, JSON.stringify(value));
    } catch {
      // full or forbidden: the page works on without
    }
  }
}

const boxes = () => [() => sessionStorage, () => localStorage];

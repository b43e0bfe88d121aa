// What went wrong, in a kind that the page has words for, and what the person can do.

export class Problem extends Error {
  /** `kind` is a key of the page's texts; `details.message` is what the server said. */
  constructor(kind, details = {}) {
    super(details.message ?? kind);
    this.kind = kind;
    this.details = details;
  }
}

/** Any error as a Problem. */
export const problemOf = (error) =>
  error instanceof Problem ? error : new Problem("failed", { message: String(error?.message ?? error) });

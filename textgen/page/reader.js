/** A text to read, tinted by the value of each character, with a cursor that goes from character to character. */

import { columnOf, paragraphsOf, rangeOf } from "./paragraphs.js";
import { levelOf, tintOf, visible } from "./tint.js";

const NEW_LINE = "\u2060↵"; // which never begins a line
const BLOCK = 2000; // characters that are tinted at once, when they come near to what is seen

export class Reader {
  /**
   * @param box the element to fill; it scrolls, and can be focused.
   * @param content text, values (or null), marks as [start, end, label], top, the value of the deepest warm tint, and
   *   line and column of the first character.
   * @param on `moved(index, byKey)` when the cursor has moved, `pointed(index | null)` when the pointer has.
   */
  constructor(box, { text, values, marks, top, line = 1, column = 1 }, on) {
    Object.assign(this, { box, values, top, on });
    this.origin = { line, column };
    this.cursor = -1;
    this.sign = null; // the element around the character at the cursor
    this.paragraphs = paragraphsOf(text);
    const last = this.paragraphs.at(-1);
    this.length = last.start + last.symbols.length + Number(last.ends);
    this.stripes = this.#stripesOf(marks);
    this.blocks = new Map(); // the element of each to its paragraphs
    this.near = new Set(); // blocks in or near what is seen
    this.stale = new Set(); // blocks to tint before they are seen
    this.#fill();
    this.#listen();
  }

  /** For each character 0, or the number of the stripe of the mark that it is in; neighbours have different ones. */
  #stripesOf(marks) {
    const stripes = new Uint8Array(this.length);
    const inOrder = marks.toSorted(([one], [other]) => one - other);
    inOrder.forEach(([start, end], number) => stripes.fill(1 + (number % 2), start, end));
    return stripes;
  }

  #fill() {
    const observer = new IntersectionObserver((entries) => this.#seen(entries), { root: this.box, rootMargin: "50%" });
    let block = null;
    let room = 0;
    for (const paragraph of this.paragraphs) {
      if (room <= 0) {
        block = document.createElement("div");
        block.className = "block";
        this.blocks.set(block, []);
        room = BLOCK;
      }
      paragraph.block = block;
      paragraph.element = document.createElement("p");
      paragraph.element.dir = "auto";
      paragraph.element.append(visible(paragraph.symbols.join("")));
      if (paragraph.ends) paragraph.element.append(this.#newLine(""));
      block.append(paragraph.element);
      this.blocks.get(block).push(paragraph);
      room -= paragraph.symbols.length + 1;
    }
    this.stale = new Set(this.blocks.keys());
    this.box.replaceChildren(...this.blocks.keys());
    for (const element of this.blocks.keys()) observer.observe(element);
  }

  #seen(entries) {
    for (const entry of entries) {
      if (entry.isIntersecting) this.near.add(entry.target);
      else this.near.delete(entry.target);
    }
    this.#tintBlocks(this.near);
  }

  #tintBlocks(blocks) {
    for (const block of blocks) {
      if (!this.stale.delete(block)) continue;
      for (const paragraph of this.blocks.get(block)) this.#tint(paragraph);
    }
  }

  /** Tint what is not in sight too, for paper. */
  tintAll() {
    this.#tintBlocks(this.blocks.keys());
  }

  #classOf(index) {
    const tint = this.values ? tintOf(levelOf(this.values[index], this.top)) : "";
    const stripe = this.stripes[index] ? `mark${this.stripes[index]}` : "";
    return [tint, stripe].filter(Boolean).join(" ");
  }

  /** Make a paragraph anew, of spans of characters that look the same. */
  #tint(paragraph) {
    const { element, start, symbols, ends } = paragraph;
    const parts = [];
    for (let from = 0; from < symbols.length; ) {
      const name = this.#classOf(start + from);
      let to = from + 1;
      while (to < symbols.length && this.#classOf(start + to) === name) to++;
      const part = document.createElement("span");
      part.className = name;
      part.textContent = visible(symbols.slice(from, to).join(""));
      parts.push(name ? part : part.firstChild);
      from = to;
    }
    if (ends) parts.push(this.#newLine(this.#classOf(start + symbols.length)));
    element.replaceChildren(...parts);
    if (this.sign && this.paragraphAt(this.cursor) === paragraph) this.#putSign();
  }

  /** Take the sign of the cursor from where it is, and put it where it should be. */
  #putSign() {
    const old = this.sign;
    if (old?.matches(".newline")) old.classList.remove("here");
    else if (old?.isConnected) {
      const outer = old.parentNode;
      old.replaceWith(...old.childNodes);
      outer.normalize();
    }
    const paragraph = this.paragraphAt(this.cursor);
    const column = this.cursor - paragraph.start;
    if (column === paragraph.symbols.length) {
      this.sign = paragraph.element.querySelector(".newline");
      this.sign.classList.add("here");
    } else {
      this.sign = document.createElement("span");
      this.sign.className = "here";
      rangeOf(paragraph, column).surroundContents(this.sign);
    }
  }

  #newLine(name) {
    const sign = document.createElement("span");
    sign.className = `newline ${name}`;
    sign.ariaHidden = "true";
    sign.textContent = NEW_LINE;
    return sign;
  }

  /** Tint by other values. */
  tintBy(values, top) {
    this.values = values;
    this.tintTo(top);
  }

  /** Tint by another value of the deepest tint. */
  tintTo(top) {
    this.top = top;
    this.stale = new Set(this.blocks.keys());
    this.#tintBlocks(this.near);
  }

  /** The paragraph with a character. */
  paragraphAt(index) {
    let low = 0;
    for (let high = this.paragraphs.length - 1; low < high; ) {
      const middle = (low + high + 1) >> 1;
      if (this.paragraphs[middle].start <= index) low = middle;
      else high = middle - 1;
    }
    return this.paragraphs[low];
  }

  symbolAt(index) {
    const { symbols, start } = this.paragraphAt(index);
    return symbols[index - start] ?? "\n";
  }

  /** Line and column of a character, from 1. */
  placeOf(index) {
    const { line, column, start } = this.paragraphAt(index);
    const before = line === 1 ? this.origin.column - 1 : 0;
    return [this.origin.line - 1 + line, before + column + index - start + 1];
  }

  /** Put the cursor on a character, scroll to it, and say so. */
  moveTo(index, byKey) {
    this.cursor = Math.max(0, Math.min(this.length - 1, index));
    this.#putSign();
    this.#reveal();
    this.on.moved(this.cursor, byKey);
  }

  #reveal() {
    for (let tries = 0; tries < 3; tries++) { // blocks that have never been laid out change their size when they are
      const outer = this.box.getBoundingClientRect();
      const inner = this.sign.getBoundingClientRect();
      const margin = 24;
      const down = Math.min(0, inner.top - outer.top - margin) || Math.max(0, inner.bottom - outer.bottom + margin);
      const right = Math.min(0, inner.left - outer.left - margin) || Math.max(0, inner.right - outer.right + margin);
      if (!down && !right) return;
      const far = Math.abs(down) > outer.height || Math.abs(right) > outer.width;
      const more = (size, way) => (far && way ? (Math.sign(way) * size) / 3 : 0); // not at the very edge after a jump
      this.box.scrollBy(right + more(outer.width, right), down + more(outer.height, down));
    }
  }

  #listen() {
    this.box.addEventListener("keydown", (event) => this.#press(event));
    this.box.addEventListener("focus", () => {
      if (this.cursor < 0 && this.box.matches(":focus-visible")) this.moveTo(this.#firstSeen(), true);
    });
    this.box.addEventListener("click", (event) => {
      const index = this.#under(event);
      if (index !== null && getSelection().isCollapsed) this.moveTo(index, false);
    });
    this.box.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse") this.on.pointed(this.#under(event));
    });
    this.box.addEventListener("pointerleave", () => this.on.pointed(null));
  }

  #firstSeen() {
    const outer = this.box.getBoundingClientRect();
    const block = [...this.blocks.keys()].find((one) => {
      const { right, bottom, left } = one.getBoundingClientRect();
      return bottom > outer.top && right > outer.left && left < outer.right;
    });
    return block ? this.blocks.get(block)[0].start : 0;
  }

  get #isVertical() {
    return getComputedStyle(this.box).writingMode.startsWith("vertical");
  }

  #press(event) {
    if (event.altKey || event.metaKey) return;
    const index = this.#target(event.key, event.ctrlKey);
    if (index === null) return;
    event.preventDefault();
    this.moveTo(index, true);
  }

  /** The character that a key leads to, or null if it is none of ours. */
  #target(key, withControl) {
    const from = Math.max(this.cursor, 0);
    const { start, symbols, ends, element } = this.paragraphAt(from);
    if (withControl) return key === "Home" ? 0 : key === "End" ? this.length - 1 : null;
    if (key === "Home") return start;
    if (key === "End") return start + symbols.length - (ends ? 0 : 1);
    if (key === "PageUp") return this.#page(-1);
    if (key === "PageDown") return this.#page(1);
    const vertical = this.#isVertical;
    const backwards = !vertical && getComputedStyle(element).direction === "rtl" ? -1 : 1;
    const along = vertical ? { ArrowDown: 1, ArrowUp: -1 } : { ArrowRight: backwards, ArrowLeft: -backwards };
    const across = vertical ? { ArrowLeft: 1, ArrowRight: -1 } : { ArrowDown: 1, ArrowUp: -1 };
    if (key in along) return from + along[key];
    return key in across ? this.#across(across[key]) : null;
  }

  /** The character beside the cursor in the next (1) or previous (-1) line as it is laid out. */
  #across(way) {
    if (!this.sign) return 0;
    this.#reveal();
    const { left, top, width, height } = this.sign.getBoundingClientRect();
    const step = parseFloat(getComputedStyle(this.box).lineHeight);
    for (let lines = 1; lines < 4; lines += 0.5) {
      const x = left + width / 2 - (this.#isVertical ? way * lines * step : 0);
      const y = top + height / 2 + (this.#isVertical ? 0 : way * lines * step);
      const found = this.#at(x, y);
      if (found !== null && Math.sign(found - this.cursor) === way) return found;
    }
    return this.#paragraphBeside(way);
  }

  #paragraphBeside(way) {
    const number = this.paragraphs.indexOf(this.paragraphAt(this.cursor)) + way;
    return this.paragraphs[number]?.start ?? this.cursor;
  }

  #page(way) {
    const wanted = way * 600;
    const { start } = this.paragraphAt(Math.max(0, Math.min(this.length - 1, Math.max(this.cursor, 0) + wanted)));
    return start === this.paragraphAt(Math.max(this.cursor, 0)).start ? this.cursor + wanted : start;
  }

  #under(event) {
    const element = document.elementFromPoint(event.clientX, event.clientY);
    if (!element || !this.box.contains(element)) return null;
    return this.#at(event.clientX, event.clientY, true);
  }

  /** The character at a point, or null; unless `exactly`, the last one of a line for points beyond it. */
  #at(x, y, exactly = false) {
    const caret = document.caretPositionFromPoint?.(x, y) ?? caretFromRange(x, y);
    const outer = caret && (caret.offsetNode.closest ? caret.offsetNode : caret.offsetNode.parentElement).closest("p");
    if (!outer || !this.box.contains(outer)) return null;
    const paragraph = this.#owner(outer);
    const size = paragraph.symbols.length + Number(paragraph.ends);
    if (size === 0) return null;
    const column = columnOf(outer, caret, paragraph);
    const inside = [column, column - 1].find((one) => one >= 0 && one < size && this.#covers(paragraph, one, x, y));
    if (inside !== undefined) return paragraph.start + inside;
    return exactly ? null : paragraph.start + Math.min(column, size - 1);
  }

  #owner(element) {
    return this.blocks.get(element.parentElement).find((paragraph) => paragraph.element === element);
  }

  #covers(paragraph, column, x, y) {
    return [...rangeOf(paragraph, column).getClientRects()].some(
      ({ left, right, top, bottom }) => x >= left && x < right && y >= top && y < bottom,
    );
  }
}

function caretFromRange(x, y) {
  const range = document.caretRangeFromPoint?.(x, y);
  return range && { offsetNode: range.startContainer, offset: range.startOffset };
}

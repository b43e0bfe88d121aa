// Unpacks the model that a page carries: pieces of base64, which are bytes: a description, a newline, and numbers.

import { Problem } from "./problem.js";

/**
 * The model in `pieces` of base64. `told` is what the page says of it: {bytes, checksum}, their number and CRC-32.
 *
 * It has what the description has (`vocabulary`, `cell`, `layers`, `units`, `dim`, `unicode`, `lowercase`,
 * `replacement`, `language`), and in `arrays` its weights as Keras has them, row by row. Raises a Problem where
 * anything is not as it was written.
 */
export function unpacked(told, pieces) {
  const content = whole(told, pieces);
  const newline = content.indexOf(10);
  const { arrays, ...model } = JSON.parse(new TextDecoder().decode(content.subarray(0, newline)));
  let place = newline + 1;
  const [embedding, ...rest] = arrays.map(([size, width]) => {
    const end = place + size * width;
    const numbers = numbersOf(content.subarray(place, end), width);
    place = end;
    return numbers;
  });
  const [kernel, bias] = rest.splice(-2);
  const layers = Array.from({ length: model.layers }, (_, number) => {
    const [input, recurrent, added] = rest.slice(3 * number);
    return { kernel: input, recurrent, bias: added };
  });
  return { ...model, arrays: { embedding, layers, head: { kernel, bias } } };
}

/** The bytes in the pieces, into an array that is made once. */
function whole({ bytes, checksum }, pieces) {
  try {
    const content = new Uint8Array(bytes);
    let place = 0;
    for (const piece of pieces) {
      const decoded = atob(piece);
      for (let index = 0; index < decoded.length; index += 1) content[place + index] = decoded.charCodeAt(index);
      place += decoded.length;
    }
    if (place === bytes && crc32(content) === checksum) return content;
  } catch {
    // it is not base64, or the number of bytes is none
  }
  throw new Problem("damaged");
}

/** Numbers of four bytes, or of two that are the upper half of a float32 (bfloat16); the lowest byte comes first. */
function numbersOf(content, width) {
  const bits = new Uint32Array(content.length / width);
  for (let index = 0, at = 0; index < bits.length; index += 1, at += width) {
    const upper = (content[at + width - 2] | (content[at + width - 1] << 8)) << 16;
    bits[index] = width === 2 ? upper : upper | content[at] | (content[at + 1] << 8);
  }
  return new Float32Array(bits.buffer);
}

/** The CRC-32 of zip and PNG: it finds every change of a few bits, and nearly all others. */
export function crc32(content) {
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
    return rest;
  });
  let rest = -1;
  for (let index = 0; index < content.length; index += 1) rest = table[(rest ^ content[index]) & 0xff] ^ (rest >>> 8);
  return ~rest >>> 0;
}

// Keys and values as in items.c: what every reply must be follows from the key, byte for byte.

const TEMPLATES = 61;
const STAMP_BYTES = 8;

/** @param {number} number */
export function keyOf(number) {
  return `key-${digitsOf(number)}`;
}

/**
 * The value of a key: one of a few blocks of pseudo-random bytes, or letters, with the key's digits on it.
 * @param {number} number @param {number} bytes
 */
export function itemValue(number, bytes, printable = false) {
  const value = Buffer.from(templateOf(number % TEMPLATES, bytes, printable));
  value.write(digitsOf(number), 0, Math.min(STAMP_BYTES, bytes), 'latin1');
  return value;
}

/** @param {number} number */
function digitsOf(number) {
  return String(number).padStart(STAMP_BYTES, '0');
}

/** @type {Map<string, Buffer>} */
const templates = new Map();

// xorshift32, seeded by the template's number.
/** @param {number} template @param {number} bytes @param {boolean} printable */
function templateOf(template, bytes, printable) {
  const id = `${template}/${bytes}/${printable}`;
  const ready = templates.get(id);
  if (ready) return ready;
  let state = Math.imul(template + 1, 2654435761);
  const made = Buffer.alloc(bytes);
  for (let i = 0; i < bytes; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    made[i] = printable ? 0x61 + ((state >>> 24) % 26) : state >>> 24;
  }
  templates.set(id, made);
  return made;
}

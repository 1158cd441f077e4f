// What the benchmark's clients send and must get, byte for byte. load.c says the same in C.

const TEMPLATES = 61;
const STAMP_BYTES = 8;

/** @param {number} number */
export function keyOf(number) {
  return `key-${digitsOf(number)}`;
}

/**
 * The value of a key: one of a few blocks of pseudo-random bytes with the key's digits stamped on it.
 * @param {number} number @param {number} bytes
 */
export function itemValue(number, bytes) {
  const value = Buffer.from(templateOf(number % TEMPLATES, bytes));
  value.write(digitsOf(number), 0, Math.min(STAMP_BYTES, bytes), 'latin1');
  return value;
}

/** @param {number} number @param {{ value: number, meta: boolean }} workload */
export function setRequest(number, { value, meta }) {
  const line = meta ? `ms ${keyOf(number)} ${value} F${number}` : `set ${keyOf(number)} ${number} 0 ${value}`;
  return Buffer.concat([Buffer.from(`${line}\r\n`), itemValue(number, value), Buffer.from('\r\n')]);
}

/** @param {{ meta: boolean }} workload */
export function setReply({ meta }) {
  return Buffer.from(meta ? 'HD\r\n' : 'STORED\r\n');
}

/** @param {number[]} numbers @param {{ meta: boolean }} workload */
export function getRequest(numbers, { meta }) {
  const keys = numbers.map(keyOf).join(' ');
  return Buffer.from(meta ? `mg ${keys} f k v\r\n` : `get ${keys}\r\n`);
}

/** @param {number[]} numbers @param {{ value: number, meta: boolean }} workload */
export function getReply(numbers, { value, meta }) {
  const parts = numbers.flatMap((number) => {
    const key = keyOf(number);
    const line = meta ? `VA ${value} f${number} k${key}` : `VALUE ${key} ${number} ${value}`;
    return [Buffer.from(`${line}\r\n`), itemValue(number, value), Buffer.from('\r\n')];
  });
  return Buffer.concat(meta ? parts : [...parts, Buffer.from('END\r\n')]);
}

/** @param {number} number */
function digitsOf(number) {
  return String(number).padStart(STAMP_BYTES, '0');
}

/** @type {Map<string, Buffer>} */
const templates = new Map();

// xorshift32, seeded by the template's number.
/** @param {number} template @param {number} bytes */
function templateOf(template, bytes) {
  const id = `${template}/${bytes}`;
  const ready = templates.get(id);
  if (ready) return ready;
  let state = Math.imul(template + 1, 2654435761);
  const made = Buffer.alloc(bytes);
  for (let i = 0; i < bytes; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    made[i] = state >>> 24;
  }
  templates.set(id, made);
  return made;
}

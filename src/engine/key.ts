/**
 * A key inside the engine is a string with one character (0…255) per byte, so that both doors name
 * the same item: REST keys are the UTF-8 bytes of their text, memcached keys are bytes anyway.
 */
export function keyFromText(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** A key as UTF-8 text; bytes that are no UTF-8 become U+FFFD. */
export function keyToText(key: string): string {
  return isAscii(key) ? key : Buffer.from(key, 'latin1').toString('utf8');
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return false;
  }
  return true;
}

import { KeyBytes } from '../../engine/key.ts';

const NO_BASE64 = /[^A-Za-z0-9+/=]/g;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const PAD = 0x3d;

/** The value of each byte as a base64 digit. */
const NONE = 0xff;
const SEXTETS = new Uint8Array(256).fill(NONE);
for (let i = 0; i < ALPHABET.length; i++) SEXTETS[ALPHABET.charCodeAt(i)] = i;

/** A key from its base64 form (a meta command's flag b) in a part of a buffer; undefined: that is not base64. */
export function keyFromBase64(buffer: Buffer, start: number, end: number): KeyBytes | undefined {
  return plainKey(buffer, start, end) ?? looseKey(buffer.latin1Slice(start, end));
}

// As clients write it: nothing but base64, whole groups of four, at most two "=" at the end.
function plainKey(buffer: Buffer, start: number, end: number): KeyBytes | undefined {
  if (start === end || (end - start) % 4 !== 0) return undefined;
  const padding = buffer[end - 1] !== PAD ? 0 : buffer[end - 2] !== PAD ? 1 : 2;
  const bytes = Buffer.allocUnsafe(((end - start) / 4) * 3);
  let length = 0;
  for (let i = start; i < end; i += 4) {
    let group = 0;
    for (let j = i; j < i + 4; j++) {
      const sextet = j < end - padding ? (SEXTETS[buffer[j] as number] as number) : 0;
      if (sextet === NONE) return undefined;
      group = (group << 6) | sextet;
    }
    bytes[length++] = group >> 16;
    bytes[length++] = group >> 8;
    bytes[length++] = group;
  }
  return new KeyBytes(bytes, 0, length - padding);
}

// As in memcached 1.6, characters that are no base64 are passed over, a "=" within counts as zero bits, and the first
// group of four with a "=" is the last.
function looseKey(text: string): KeyBytes | undefined {
  const digits = text.replace(NO_BASE64, '');
  if (digits.length === 0 || digits.length % 4 !== 0) return undefined;
  const padAt = digits.indexOf('=');
  const end = padAt < 0 ? digits.length : padAt - (padAt % 4) + 4;
  const padding = digits.slice(0, end).split('=').length - 1;
  if (padding > 2) return undefined;
  const bytes = Buffer.from(digits.slice(0, end).replaceAll('=', 'A'), 'base64');
  return new KeyBytes(bytes, 0, bytes.length - padding);
}

export function keyToBase64({ bytes, start, length }: KeyBytes): string {
  return bytes.toString('base64', start, start + length);
}

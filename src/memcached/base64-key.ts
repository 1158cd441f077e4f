const NO_BASE64 = /[^A-Za-z0-9+/=]/g;

/**
 * A key from its base64 form (a meta command's flag b), or undefined where that is none. As in memcached
 * 1.6, characters that are no base64 are passed over, a "=" within counts as zero bits, and the first
 * group of four with a "=" is the last.
 */
export function keyFromBase64(text: string): string | undefined {
  const digits = text.replace(NO_BASE64, '');
  if (digits.length === 0 || digits.length % 4 !== 0) return undefined;
  const padAt = digits.indexOf('=');
  const end = padAt < 0 ? digits.length : padAt - (padAt % 4) + 4;
  const padding = digits.slice(0, end).split('=').length - 1;
  if (padding > 2) return undefined;
  const bytes = Buffer.from(digits.slice(0, end).replaceAll('=', 'A'), 'base64');
  return bytes.toString('latin1', 0, bytes.length - padding);
}

export function keyToBase64(key: string): string {
  return Buffer.from(key, 'latin1').toString('base64');
}

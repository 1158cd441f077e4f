const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A key from its base64 form (a meta command's flag b), or undefined where that is none. */
export function keyFromBase64(text: string): string | undefined {
  if (text.length === 0 || !BASE64.test(text)) return undefined;
  return Buffer.from(text, 'base64').toString('latin1');
}

export function keyToBase64(key: string): string {
  return Buffer.from(key, 'latin1').toString('base64');
}

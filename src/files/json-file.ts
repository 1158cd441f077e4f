import { withoutByteOrderMark } from '../byte-order-mark.ts';

/** What the JSON text of a file says. Throws an error that names the file. */
export function parseJsonFile(path: string, text: string): unknown {
  try {
    return JSON.parse(withoutByteOrderMark(text));
  } catch {
    // The parser's own words quote the text, which may be a token.
    throw new Error(`${path} is not valid JSON`);
  }
}

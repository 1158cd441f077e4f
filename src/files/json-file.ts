/** What the JSON text of a file says. Throws an error that names the file. */
export function parseJsonFile(path: string, text: string): unknown {
  try {
    // The byte order mark that some editors put in front is none of what it says.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    // The parser's own words quote the text, which may be a token.
    throw new Error(`${path} is not valid JSON`);
  }
}

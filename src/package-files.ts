import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

// What these files are beside stands in dist/ and src/ itself, not in a folder of it.
const root = new URL('../', import.meta.url);

/** The version in package.json. */
export function readVersion(): string {
  const text = readFileSync(new URL('package.json', root), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** The OpenAPI document, as JSON. */
export function readDocument(): Promise<string> {
  return readFile(new URL('openapi/openapi.json', root), 'utf8');
}

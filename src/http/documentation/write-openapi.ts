// Writes openapi/openapi.json anew: npm run openapi
import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { openApiDocument } from './openapi-document.ts';

const root = new URL('../../../', import.meta.url);
const packageText = await readFile(new URL('package.json', root), 'utf8');
const { version } = z.object({ version: z.string() }).parse(JSON.parse(packageText));
await writeFile(new URL('openapi/openapi.json', root), await openApiDocument(version));

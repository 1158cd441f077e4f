import { readFile } from 'node:fs/promises';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { openApiDocument } from '../../../src/http/documentation/openapi-document.ts';
import { testApp } from '../../support/app.ts';

const root = new URL('../../../', import.meta.url);

interface Operation {
  operationId: string;
  summary: string;
  tags: string[];
  security?: object[];
  parameters?: {
    name: string;
    in: string;
    required?: boolean;
    schema: { default?: unknown };
    example?: unknown;
  }[];
  requestBody?: object;
  responses: Record<
    string,
    { description: string; content: Record<string, { example?: unknown; examples?: unknown }> }
  >;
}

async function written(): Promise<string> {
  return readFile(new URL('openapi/openapi.json', root), 'utf8');
}

async function operations(): Promise<[name: string, operation: Operation][]> {
  const { paths } = JSON.parse(await written()) as { paths: Record<string, Record<string, Operation>> };
  return Object.entries(paths).flatMap(([url, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method} ${url}`,
      operation,
    ]),
  );
}

function usualErrors(name: string): string[] {
  if (name === 'get /1/authentication') return ['403'];
  return name === 'get /metrics' ? ['401', '403'] : ['400', '401', '403', '404'];
}

describe('openapi/openapi.json', () => {
  test('is what the routes say; else run: npm run openapi', async () => {
    const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as {
      version: string;
    };
    expect(await written()).toBe(await openApiDocument(version));
  });

  test('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    expect(await validator.validate(JSON.parse(await written()))).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  test('says that its paths begin at the root of the service, wherever that is', async () => {
    const { servers } = JSON.parse(await written()) as { servers?: object[] };
    expect(servers).toEqual([{ url: '/', description: expect.any(String) }]);
  });

  test('describes these operations and nothing else', async () => {
    expect((await operations()).map(([name]) => name).sort()).toEqual([
      'delete /1/projects/{project}',
      'delete /1/projects/{project}/caches/{cache}',
      'delete /1/projects/{project}/caches/{cache}/items/{key}',
      'delete /1/projects/{project}/caches/{cache}/settings',
      'delete /1/tokens/{token}',
      'get /1/authentication',
      'get /1/projects',
      'get /1/projects/{project}',
      'get /1/projects/{project}/caches',
      'get /1/projects/{project}/caches/{cache}',
      'get /1/projects/{project}/caches/{cache}/items',
      'get /1/projects/{project}/caches/{cache}/items/{key}',
      'get /1/projects/{project}/caches/{cache}/settings',
      'get /1/tokens',
      'get /1/tokens/{token}',
      'get /health/live',
      'get /health/ready',
      'get /metrics',
      'get /version',
      'patch /1/projects/{project}',
      'post /1/projects',
      'post /1/projects/{project}/caches/{cache}/clear',
      'post /1/projects/{project}/caches/{cache}/items',
      'post /1/projects/{project}/caches/{cache}/items/{key}/increment',
      'post /1/tokens',
      'put /1/projects/{project}/caches/{cache}/items/{key}',
      'put /1/projects/{project}/caches/{cache}/settings',
    ]);
  });

  test('has for each a summary, an example of every answer, and every error that it can give', async () => {
    for (const [name, { operationId, summary, responses, requestBody, security }] of await operations()) {
      expect([name, operationId, summary]).toEqual([name, expect.any(String), expect.any(String)]);
      const needsBody = /^put .*{key}$|\/increment$|^post \/1\/(projects|tokens)$/.test(name);
      const isLoad = /^post .*\/items$/.test(name);
      const hasBody = needsBody || isLoad || /^(patch|put) /.test(name);
      const isOpen = name === 'get /version' || name.startsWith('get /health/');
      expect([name, Object.keys(responses)]).toEqual([
        name,
        [
          '200',
          ...(isOpen ? [] : usualErrors(name)),
          '405',
          ...(needsBody ? ['406'] : []),
          '408',
          ...(/^post \/1\/(projects|tokens)$/.test(name) ? ['409'] : []),
          ...(hasBody && !isLoad ? ['413'] : []),
          '429',
          '431',
          '500',
          '503',
        ],
      ]);
      expect(requestBody !== undefined).toBe(hasBody);
      expect(security).toEqual(isOpen ? [] : undefined);
      for (const { description, content } of Object.values(responses)) {
        expect(description).not.toBe('Default Response');
        const [shown] = Object.values(content);
        expect(shown?.example ?? shown?.examples).toBeDefined();
      }
    }
  });
});

// The page at /docs fills them in, and asks so.
test('what may be left out of a query has no example but its default', async () => {
  const optional = (await operations()).flatMap(([, { parameters = [] }]) =>
    parameters.filter((parameter) => parameter.in === 'query' && !parameter.required),
  );
  expect(optional.length).toBeGreaterThan(5);
  for (const { name, schema, example } of optional) {
    expect([name, example]).toEqual([name, example === undefined ? undefined : schema.default]);
  }
});

test('every body of JSON has an example', async () => {
  const { components } = JSON.parse(await written()) as {
    components: { schemas: Record<string, { examples?: unknown[] }> };
  };
  const bodies = (await operations()).flatMap(([, { requestBody }]) => {
    const text = JSON.stringify(requestBody ?? {});
    return [...text.matchAll(/"application\/json":{"schema":{"\$ref":"#\/components\/schemas\/(\w+)"/g)];
  });
  expect(bodies.length).toBeGreaterThan(5);
  for (const [, name = ''] of bodies) {
    expect([name, components.schemas[name]?.examples]).toEqual([name, [expect.anything()]]);
  }
});

test('a list has what a single answer has, by its name: a generated client knows one type for both', async () => {
  const { components } = JSON.parse(await written()) as {
    components: { schemas: Record<string, { properties: Record<string, { items: object }> }> };
  };
  const { ProjectList: projects, TokenList: tokens } = components.schemas;
  expect(projects?.properties['projects']?.items).toEqual({ $ref: '#/components/schemas/Project' });
  expect(tokens?.properties['tokens']?.items).toEqual({ $ref: '#/components/schemas/Token' });
});

// Python, for one, knows no classes of Unicode, and a client there could check no body that has such a pattern.
test('no pattern needs what only some languages know', async () => {
  const patterns = [...(await written()).matchAll(/"pattern": (".*")/g)].map(([, text]) =>
    String(JSON.parse(text ?? '')),
  );
  expect(patterns.length).toBeGreaterThan(5);
  for (const pattern of patterns) expect(pattern).not.toMatch(/\\[pPu]|\(\?[^:]/);
});

test('the body of a PUT may say "not given", and no number that is refused', async () => {
  const { components } = JSON.parse(await written()) as {
    components: { schemas: Record<string, { properties: Record<string, { anyOf?: object[] }> }> };
  };
  const { expires_in: expiresIn, cas, add, replace } = components.schemas['NewItem']?.properties ?? {};
  for (const flag of [add, replace]) expect(flag?.anyOf).toEqual([{ type: 'boolean' }, { type: 'null' }]);
  expect(expiresIn?.anyOf).toEqual([{ type: 'integer', minimum: 0, maximum: 2_592_000 }, { type: 'null' }]);
  expect(cas?.anyOf).toEqual([
    { type: 'string', pattern: '^\\d{1,20}$' },
    { type: 'integer', format: 'uint64', minimum: 0 },
    { type: 'null' },
  ]);
});

describe('/docs', () => {
  test('shows the same document', async () => {
    const { app } = await testApp();
    expect((await app.inject('/docs/json')).json().paths).toEqual(JSON.parse(await written()).paths);
  });

  test('is a page that loads nothing from elsewhere', async () => {
    const { app } = await testApp();
    const page = await app.inject('/docs');
    expect(page.headers['content-type']).toContain('text/html');
    const links = [...page.body.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, link]) => String(link));
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) {
      expect(link).toMatch(/^\/docs\//);
      expect((await app.inject(link)).statusCode).toBe(200);
    }
  });
});

import fastify from 'fastify';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { showDocumentation } from '../../../src/http/documentation/documentation.ts';
import { AUTHORIZED, path, type TestApp, testApp } from '../../support/app.ts';

let rest: TestApp;

beforeAll(async () => {
  rest = await testApp();
});
afterAll(() => rest.app.close());

test.each(['/docs/', '/docs/static/swagger-ui-bundle.js', '/docs/json'])(
  '%s is protected against being framed, sniffed and made to load from elsewhere',
  async (url) => {
    const { statusCode, headers } = await rest.app.inject({ url });
    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    });
    const policy = String(headers['content-security-policy']).split(';');
    expect(policy).toEqual(
      expect.arrayContaining(["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"]),
    );
    // That would hold for every port of the host.
    expect(headers).not.toHaveProperty('strict-transport-security');
  },
);

test('HEAD tells the length of a page, and each answer has the id of its request', async () => {
  for (const url of ['/docs/', '/docs/json', '/docs/static/swagger-ui.css']) {
    const page = await rest.app.inject({ url });
    const { statusCode, headers, body } = await rest.app.inject({ method: 'HEAD', url });
    expect([url, statusCode, headers['content-length']]).toEqual([url, 200, String(page.rawPayload.length)]);
    expect(body).toBe('');
    expect(headers['x-request-id']).toMatch(/./);
    expect(headers['x-request-id']).not.toBe(page.headers['x-request-id']);
  }
});

test('a file that the client has is not sent again', async () => {
  const url = '/docs/static/swagger-ui.css';
  const { etag } = (await rest.app.inject({ url })).headers;
  const again = await rest.app.inject({ url, headers: { 'if-none-match': String(etag) } });
  expect([again.statusCode, again.body]).toEqual([304, '']);
});

test('several that ask at once have the same page, which is made once', async () => {
  const { app } = await testApp();
  const pages = await Promise.all(['/docs/', '/docs/', '/docs/'].map((url) => app.inject({ url })));
  expect(new Set(pages.map(({ body }) => body)).size).toBe(1);
  await app.close();
});

test('answers of the API carry none of that: it would be the larger part of them', async () => {
  const { headers } = await rest.app.inject({ url: path(), headers: AUTHORIZED });
  expect(Object.keys(headers).sort()).toEqual([
    'connection',
    'content-length',
    'content-type',
    'date',
    'x-request-id',
  ]);
});

test('the bytes of a value are never taken for a page', async () => {
  await rest.request('PUT', path('c', 'k'), { value: '<script>alert(1)</script>' });
  const { headers } = await rest.app.inject({
    url: path('c', 'k'),
    headers: { ...AUTHORIZED, accept: 'application/octet-stream' },
  });
  expect(headers).toMatchObject({
    'content-type': 'application/octet-stream',
    'x-content-type-options': 'nosniff',
  });
});

test('a file is in memory once, however many clients have yet to read it', async () => {
  const app = fastify();
  onTestFinished(() => app.close());
  const sent: unknown[] = [];
  app.addHook('onSend', async (_request, _reply, payload) => void sent.push(payload));
  showDocumentation(app, { document: async () => '{"openapi":"3.0.0","paths":{}}', logger: app.log });
  const url = '/docs/static/swagger-ui-bundle.js';
  const part = await app.inject({ url, headers: { range: 'bytes=0-9' } });
  const whole = await app.inject({ url });
  const again = await app.inject({ url });
  expect(part.rawPayload).toEqual(whole.rawPayload.subarray(0, 10));
  expect(again.rawPayload.equals(whole.rawPayload)).toBe(true);
  expect(sent[2]).toBe(sent[1]);
});

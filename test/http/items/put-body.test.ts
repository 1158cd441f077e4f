import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AUTHORIZED, path, type TestApp, testApp } from '../../support/app.ts';

const ITEM = path('c', 'k');
let rest: TestApp;

beforeAll(async () => {
  rest = await testApp();
});

beforeEach(async () => {
  await rest.request('DELETE', path('c'));
});

async function put(body: string): Promise<{ status: number; msg: string }> {
  const { status, json } = await rest.request('PUT', ITEM, body);
  return { status, msg: (json as { msg: string }).msg };
}

async function stored(): Promise<unknown> {
  return (await rest.request('GET', ITEM)).json;
}

describe('a PUT body', () => {
  test('may write its members in any case, as .NET does', async () => {
    await put('{"Value":"a","Expires_In":60,"ADD":true}');
    expect(await stored()).toMatchObject({ value: 'a', expires: expect.stringMatching(/^2030-/) });
    expect((await put('{"VALUE":"b","Add":true}')).msg).toBe('Not stored.');
  });

  test('may call the value "body", and expires_in "expires"', async () => {
    await put('{"body":"a","expires":60}');
    expect(await stored()).toMatchObject({ value: 'a', expires: expect.stringMatching(/^2030-/) });
  });

  test('prefers the documented name, and its documented spelling', async () => {
    await put('{"VALUE":1,"value":2,"Value":3,"body":4}');
    expect(await stored()).toMatchObject({ value: 2 });
  });

  test('takes the last of two members of one name, as JSON parsers do', async () => {
    await put('{"value":1.10,"value":2.20}');
    expect((await rest.request('GET', ITEM)).text).toContain('"value":2.20,');
  });

  test('may use 1 and 0 for true and false, as Perl does', async () => {
    expect((await put('{"value":1,"replace":1}')).msg).toBe('Not stored.');
    expect((await put('{"value":1,"replace":0,"add":0}')).msg).toBe('Stored.');
    expect((await put('{"value":1,"add":1}')).msg).toBe('Not stored.');
  });

  test('may say false, null or 0 for what it does not give', async () => {
    const { msg } = await put('{"value":1,"replace":false,"add":null,"expires_in":0,"cas":null}');
    expect(msg).toBe('Stored.');
    expect(await stored()).toMatchObject({ expires: '9999-01-01T00:00:00Z' });
  });

  test('may have members that are unknown, the token among them', async () => {
    expect((await put('{"oauth":"x","value":1,"whatever":[{}],"__proto__":{"add":true}}')).msg).toBe(
      'Stored.',
    );
    expect((await put('{"value":2,"__proto__":{"add":true}}')).msg).toBe('Stored.');
  });

  test('may escape its names, and begin with a byte order mark', async () => {
    expect((await put('\ufeff{"\\u0076alue" : 1.0 }')).msg).toBe('Stored.');
    expect((await rest.request('GET', ITEM)).text).toContain('"value":1.0,');
  });

  test.each([
    undefined,
    'application/json',
    'application/json; charset=utf-8',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'multipart/form-data; boundary=x',
    'text/plain',
    'application/octet-stream',
    'nonsense',
    '',
  ])('is JSON whatever its content type says: %s', async (type) => {
    const response = await rest.app.inject({
      method: 'PUT',
      url: ITEM,
      headers: { ...AUTHORIZED, ...(type !== undefined && { 'content-type': type }) },
      payload: Buffer.from('{"value":1}'),
    });
    expect(response.json()).toEqual({ msg: 'Stored.' });
  });

  test.each(['', ' \r\n', '{}', '{"expires_in":60}', '{"valu":1}'])(
    'without a value is 406: %j',
    async (body) => {
      expect(await put(body)).toMatchObject({ status: 406, msg: expect.stringContaining('"value"') });
    },
  );

  test.each([
    '{',
    '[1]',
    '"text"',
    '42',
    'null',
    '{"value":1}}',
    "{'value':1}",
    'value=1',
    '{"value":01}',
    '{"value":NaN}',
  ])('that is no JSON object is 400: %j', async (body) => {
    expect(await put(body)).toMatchObject({ status: 400, msg: expect.stringContaining('JSON object') });
  });

  test.each(['\u0000', '\n', '\u001f'])(
    'with a bare control character in its text is 400: %j',
    async (control) => {
      for (const text of [control, `a${control}`, `abc${control}`, `abcd${control}efgh`]) {
        expect(await put(`{"value":"${text}"}`)).toMatchObject({ status: 400 });
      }
      expect(await rest.request('GET', ITEM)).toMatchObject({ status: 404 });
    },
  );

  test.each([
    '{"value":"x',
    '{"value":"x"',
    '{"value":"',
    '{"value":"}',
    '{"value":"x"}}',
    '{"value":"x"y"}',
  ])('that is nearly one of a text is 400: %s', async (body) => {
    expect(await put(body)).toMatchObject({ status: 400 });
  });

  test('that is no UTF-8 is 400', async () => {
    const response = await rest.app.inject({
      method: 'PUT',
      url: ITEM,
      headers: AUTHORIZED,
      payload: Buffer.from('{"value":"\xff"}', 'latin1'),
    });
    expect(response.statusCode).toBe(400);
    expect(response.json().msg).toContain('UTF-8');
  });

  test.each([
    ['expires_in', '-1'],
    ['expires_in', '1.5'],
    ['expires_in', '2592001'],
    ['expires_in', '1e99'],
    ['expires_in', '"60"'],
    ['expires_in', 'true'],
    ['expires_in', 'false'],
    ['expires_in', '[60]'],
    ['add', '"yes"'],
    ['add', '{}'],
    ['replace', '"true"'],
    ['replace', '[]'],
    ['cas', '-1'],
    ['cas', '1.5'],
    ['cas', '"abc"'],
    ['cas', '""'],
    ['cas', '" 1"'],
    ['cas', 'true'],
    ['cas', '[]'],
  ])('with a wrong %s (%s) is 400, names it and stores nothing', async (member, json) => {
    const { status, msg } = await put(`{"value":1,"${member}":${json}}`);
    expect(status).toBe(400);
    expect(msg).toMatch(new RegExp(`^${member} must be`));
    expect((await rest.request('GET', ITEM)).status).toBe(404);
  });

  test('may give numbers as floating point writes them', async () => {
    await put('{"value":1}');
    const { cas } = (await stored()) as { cas: string };
    expect((await put(`{"value":2,"cas":${cas}.0,"expires_in":6e1}`)).msg).toBe('Stored.');
  });
});

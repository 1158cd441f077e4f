import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { path, type TestApp, testApp } from '../../support/app.ts';

const ITEM = path('c', 'n');
let rest: TestApp;

beforeAll(async () => {
  rest = await testApp();
});

beforeEach(async () => {
  await rest.request('DELETE', path('c'));
});

async function increment(body: string): Promise<{ status: number; text: string }> {
  return rest.request('POST', `${ITEM}/increment`, body);
}

async function put(json: string): Promise<void> {
  await rest.request('PUT', ITEM, `{"value":${json}}`);
}

describe('an increment', () => {
  test('adds, and answers the number', async () => {
    await put('40');
    expect(await increment('{"amount":2}')).toMatchObject({
      status: 200,
      text: '{"msg":"Added","value":42}',
    });
    expect(await increment('{"amount":-50}')).toMatchObject({ text: '{"msg":"Added","value":-8}' });
    expect(await increment('{"amount":0}')).toMatchObject({ text: '{"msg":"Added","value":-8}' });
    expect((await rest.request('GET', ITEM)).json).toMatchObject({ value: -8 });
  });

  test('starts a missing item at the amount, for the default time', async () => {
    const { request, clock } = await testApp({ defaultExpiresInSeconds: 60 });
    expect((await request('POST', `${ITEM}/increment`, { amount: -5 })).json).toEqual({
      msg: 'Added',
      value: -5,
    });
    clock.advance(60_000);
    expect((await request('GET', ITEM)).status).toBe(404);
  });

  test('is exact over 64 bits, and goes no further', async () => {
    await increment('{"amount":9007199254740993}');
    expect(await increment('{"amount":9214364837600034814}')).toMatchObject({
      text: '{"msg":"Added","value":9223372036854775807}',
    });
    expect(await increment('{"amount":1}')).toMatchObject({
      status: 400,
      text: expect.stringContaining('64-bit'),
    });
    expect((await rest.request('GET', ITEM)).text).toContain('"value":9223372036854775807,');
    await put('0');
    expect(await increment('{"amount":-9223372036854775808}')).toMatchObject({
      text: '{"msg":"Added","value":-9223372036854775808}',
    });
  });

  test('keeps the expiry of the item', async () => {
    await rest.request('PUT', ITEM, { value: 1, expires_in: 60 });
    const before = (await rest.request('GET', ITEM)).json as { expires: string };
    rest.clock.advance(5_000);
    await increment('{"amount":1}');
    expect((await rest.request('GET', ITEM)).json).toMatchObject({ value: 2, expires: before.expires });
  });

  test('takes the amount from "value" where there is no "amount", and names in any case', async () => {
    expect(await increment('{"value":3}')).toMatchObject({ text: '{"msg":"Added","value":3}' });
    expect(await increment('{"Amount":4,"value":100}')).toMatchObject({ text: '{"msg":"Added","value":7}' });
    expect(await increment('{"amount":null,"value":1}')).toMatchObject({ text: '{"msg":"Added","value":8}' });
    expect(await increment('{"amount":2.0}')).toMatchObject({ text: '{"msg":"Added","value":10}' });
  });

  test.each(['"5"', '"007"', '"-3"'])('adds to text that is an integer: %s', async (json) => {
    await put(json);
    const sum = Number(JSON.parse(json)) + 1;
    expect(await increment('{"amount":1}')).toMatchObject({ text: `{"msg":"Added","value":${sum}}` });
  });

  test.each(['"abc"', '""', '1.5', '1e3', 'true', 'null', '[1]', '{"a":1}', '99999999999999999999'])(
    'of something that is no integer is 400 and changes nothing: %s',
    async (json) => {
      await put(json);
      const before = (await rest.request('GET', ITEM)).text;
      expect(await increment('{"amount":1}')).toMatchObject({
        status: 400,
        text: '{"msg":"Cannot increment or decrement non-numeric value"}',
      });
      expect((await rest.request('GET', ITEM)).text).toBe(before);
    },
  );

  test.each(['', '{}', '{"amount":null}', '{"by":1}'])('without an amount is 406: %j', async (body) => {
    expect(await increment(body)).toMatchObject({ status: 406, text: expect.stringContaining('amount') });
  });

  test.each([
    '1.5',
    '"1"',
    'true',
    '[]',
    '{}',
    '9223372036854775808',
    '-9223372036854775809',
    '1e400',
    `${'9'.repeat(100_000)}`,
  ])('by something that is no 64-bit integer is 400: %.40s', async (json) => {
    expect(await increment(`{"amount":${json}}`)).toMatchObject({
      status: 400,
      text: expect.stringContaining('amount must be'),
    });
  });

  test.each(['{', '[1]', '1'])('with a body that is no JSON object is 400: %j', async (body) => {
    expect(await increment(body)).toMatchObject({ status: 400 });
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AUTHORIZED, path, type TestApp, testApp } from '../support/app.ts';

let rest: TestApp;

beforeAll(async () => {
  rest = await testApp();
  for (const name of ['a', 'b', 'c']) await rest.request('PUT', path(name, 'k'), { value: 1 });
});
afterAll(() => rest.app.close());

async function listed(query: string): Promise<unknown> {
  const { status, json } = await rest.request('GET', `${path()}?${query}`);
  return status === 200
    ? (json as { name: string }[]).map(({ name }) => name).join('')
    : (json as { msg: string }).msg;
}

describe('a parameter that is a number', () => {
  test.each([
    ['', 'abc'],
    ['per_page=2', 'ab'],
    ['per_page=2&page=1', 'c'],
    ['per_page=02', 'ab'],
    ['per_page=2.0', 'ab'],
    ['per_page=100', 'abc'],
    ['per_page=2&color=red', 'ab'],
    ['previous=a', 'bc'],
    ['previous=a&per_page=1&page=1', 'c'],
    ['previous=c', ''],
    ['previous=', 'abc'],
  ])('is taken: ?%s', async (query, names) => {
    expect(await listed(query)).toBe(names);
  });

  test.each([
    ['page=101', 'The parameter page must be <= 100.'],
    ['page=-1', 'The parameter page must be >= 0.'],
    ['per_page=0', 'The parameter per_page must be >= 1.'],
    ['per_page=1e9', 'The parameter per_page must be <= 100.'],
    ['per_page=', 'The parameter per_page must be an integer.'],
    ['per_page=1.5', 'The parameter per_page must be an integer.'],
    ['page=%20', 'The parameter page must be an integer.'],
    ['page=0x0', 'The parameter page must be an integer.'],
    ['per_page=%202', 'The parameter per_page must be an integer.'],
    ['per_page=two', 'The parameter per_page must be an integer.'],
    ['per_page=1&per_page=2', 'The parameter per_page must be an integer.'],
  ])('is refused, and the answer says why: ?%s', async (query, msg) => {
    expect(await listed(query)).toBe(msg);
  });
});

describe('a parameter that is a text', () => {
  const load = async (query: string) => {
    const payload = '{"format":"ironcached items","version":1}\n{"end":true,"items":0}\n';
    const url = `${path('d')}/items${query}`;
    return (await rest.app.inject({ method: 'POST', url, headers: AUTHORIZED, payload })).json().msg;
  };

  test('is one of those that there are', async () => {
    for (const query of ['', '?mode=set', '?mode=add']) expect(await load(query)).toBe('Loaded.');
    for (const query of ['?mode=replace', '?mode=']) {
      expect(await load(query)).toBe('The parameter mode must be set or add.');
    }
    expect(await load('?mode=set&mode=add')).toBe('The parameter mode must be given once.');
  });

  test('is given once', async () => {
    const { status, json } = await rest.request('GET', '/1/authentication?project_id=a&project_id=b');
    expect([status, json]).toEqual([400, { msg: 'The parameter project_id must be given once.' }]);
  });
});

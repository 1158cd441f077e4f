import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PROJECT, path, type TestApp, testApp } from '../../support/app.ts';

let rest: TestApp;

beforeAll(async () => {
  rest = await testApp();
});

beforeEach(async () => {
  for (const name of await namesOnPage('?per_page=100')) await rest.request('DELETE', path(name));
});

async function make(...names: string[]): Promise<void> {
  for (const name of names) await rest.request('PUT', path(name, 'k'), { value: 'x' });
}

async function namesOnPage(query: string): Promise<string[]> {
  const { json } = await rest.request('GET', `${path()}${query}`);
  return (json as { name: string }[]).map(({ name }) => name);
}

describe('the list of caches', () => {
  test('is empty for a project without any', async () => {
    expect(await rest.request('GET', path())).toMatchObject({ status: 200, text: '[]' });
  });

  test('has id, project_id and name, and no size', async () => {
    await make('b', 'a');
    const id = expect.stringMatching(/^[0-9a-f]{24}$/);
    expect((await rest.request('GET', path())).json).toEqual([
      { id, project_id: PROJECT, name: 'a' },
      { id, project_id: PROJECT, name: 'b' },
    ]);
  });

  test('comes in pages of 30, or as many as asked for', async () => {
    const names = Array.from({ length: 35 }, (_, i) => `cache ${String(i).padStart(2, '0')}`);
    await make(...names);
    expect(await namesOnPage('')).toEqual(names.slice(0, 30));
    expect(await namesOnPage('?page=1')).toEqual(names.slice(30));
    expect(await namesOnPage('?page=2&per_page=10')).toEqual(names.slice(20, 30));
    expect(await namesOnPage('?page=0&per_page=100&oauth=x&other=y')).toEqual(names);
    expect(await namesOnPage('?page=100&per_page=100')).toEqual([]);
    expect(await namesOnPage('?')).toHaveLength(30);
  });

  test.each([
    'page=-1',
    'page=101',
    'page=x',
    'page=1.5',
    'page=1&page=2',
    'per_page=0',
    'per_page=101',
    'per_page=',
  ])('is 400 for %s, and names the parameter', async (query) => {
    const { status, json } = await rest.request('GET', `${path()}?${query}`);
    expect(status).toBe(400);
    expect(json).toEqual({ msg: expect.stringContaining(`The parameter ${query.split('=')[0]} must be`) });
  });
});

describe('a cache', () => {
  test('tells how many live items it has, and their bytes', async () => {
    await make('c');
    await rest.request('PUT', path('c', 'soon gone'), { value: 'y', expires_in: 1 });
    const { json } = await rest.request('GET', path('c'));
    expect(json).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{24}$/),
      project_id: PROJECT,
      name: 'c',
      size: 2,
      data_size: expect.any(Number),
    });
    rest.clock.advance(1_000);
    expect((await rest.request('GET', path('c'))).json).toMatchObject({ size: 1 });
  });

  test('that is unknown is 404 "Cache not found", to all but a PUT', async () => {
    for (const [method, url] of [
      ['GET', path('none')],
      ['DELETE', path('none')],
      ['POST', `${path('none')}/clear`],
    ] as const) {
      expect(await rest.request(method, url)).toMatchObject({
        status: 404,
        json: { msg: 'Cache not found' },
      });
    }
  });

  test('is empty after a clear, and still the same cache', async () => {
    await make('c');
    const before = (await rest.request('GET', path('c'))).json as { id: string };
    const answer = await rest.request('POST', `${path('c')}/clear`);
    expect(answer).toMatchObject({ status: 200, json: { msg: 'Cleared.' } });
    expect((await rest.request('GET', path('c'))).json).toMatchObject({
      id: before.id,
      size: 0,
      data_size: 0,
    });
    expect((await rest.request('GET', path('c', 'k'))).status).toBe(404);
  });

  test('is gone after a delete; the next PUT makes another, with another id', async () => {
    await make('c');
    const before = (await rest.request('GET', path('c'))).json as { id: string };
    expect(await rest.request('DELETE', path('c'))).toMatchObject({ status: 200, json: { msg: 'Deleted.' } });
    expect((await rest.request('GET', path())).text).toBe('[]');
    expect((await rest.request('GET', path('c', 'k'))).status).toBe(404);
    await make('c');
    const after = (await rest.request('GET', path('c'))).json as { id: string };
    expect(after.id).not.toBe(before.id);
  });

  test('of another project is another cache', async () => {
    await make('c');
    const url = path('c', 'k').replace(PROJECT, '4e71843298b1db3f0d0000bb');
    const answer = await rest.app.inject({ url: `${url}?oauth=token-of-the-other-project` });
    expect(answer.statusCode).toBe(404);
  });
});

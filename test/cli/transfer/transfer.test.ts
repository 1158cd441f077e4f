import { readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative } from 'node:path';
import { Writable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { testClock } from '../../support/clock.ts';
import { type ControlledService, startControlled } from '../../support/control.ts';
import { temporaryDirectory } from '../../support/service.ts';
import { signIn, textClient } from '../../support/text-client.ts';
import { transfer } from '../../support/transfer.ts';

let service: ControlledService;
let project: string;
let token: string;
let directory: string;

beforeEach(async () => {
  service = await startControlled();
  const iron = JSON.parse(readFileSync(join(service.dataDir, 'iron.json'), 'utf8'));
  project = iron.project_id;
  token = iron.token;
  directory = temporaryDirectory();
});

/** Runs a command that finds the service by its data directory. */
function ironcached(...args: string[]) {
  return transfer([args[0] ?? '', '--data-dir', service.dataDir, ...args.slice(1)]);
}

/** Loads this into a cache of the project. */
function loadInto(cache: string, input: string, ...args: string[]) {
  const place = ['--project', project, '--cache', cache];
  return transfer(['load', '--data-dir', service.dataDir, ...place, ...args], { input });
}

async function item(cache: string, key: string, value?: unknown, inProject = project, by = token) {
  const names = [cache, 'items', key].map(encodeURIComponent).join('/');
  const url = `http://127.0.0.1:${service.httpPort}/1/projects/${inProject}/caches/${names}`;
  const init = value === undefined ? {} : { method: 'PUT', body: JSON.stringify({ value }) };
  const response = await fetch(url, { ...init, headers: { authorization: `OAuth ${by}` } });
  return ((await response.json()) as { value?: unknown }).value;
}

const FIRST = '{"format":"ironcached items","version":1}';
const DUMP = `${FIRST}\n{"key":"a","value":"1"}\n{"key":"b","value":"2"}\n{"end":true,"items":2}\n`;

describe('a dump', () => {
  test('of a project has all its caches, and loads into another one', async () => {
    await item('a', 'k', 'Hello');
    await item('b/ü?', 'k', { n: 1.5 });
    const file = join(directory, 'dump.jsonl');
    const dumped = await ironcached('dump', file);
    expect(dumped).toMatchObject({ status: 0, out: '' });
    expect(dumped.err).toMatch(/^dumped 2 items, 0\.0 MB in \S+ s, \S+ items\/s; caches: 2\n$/);
    const other = await service.project();
    const loaded = await ironcached('load', '--project', other, file);
    expect(loaded.err).toMatch(/^loaded 2 items, /);
    expect(loaded.status).toBe(0);
    const { text } = await service.token(other);
    expect(await item('a', 'k', undefined, other, text)).toBe('Hello');
    expect(await item('b/ü?', 'k', undefined, other, text)).toEqual({ n: 1.5 });
  });

  test('of a project without caches is empty, and a load of it says so', async () => {
    const other = await service.project();
    const { status, out, err } = await ironcached('dump', '--project', other);
    expect([status, out, err]).toEqual([0, '', expect.stringMatching(/^dumped 0 items, .*; caches: 0\n$/)]);
    expect(await loadInto('c', out)).toMatchObject({
      status: 1,
      err: 'ironcached: there is no dump in it: it is empty, as a dump of no caches is\n',
    });
  });

  test('of some caches has these, on standard output unless a file is named', async () => {
    for (const cache of ['a', 'b', 'c']) await item(cache, 'k', cache);
    const { status, out } = await ironcached('dump', '--cache', 'c', '--cache', 'a', '-');
    expect(status).toBe(0);
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ cache, value }) => cache ?? value)).toEqual([
      'c',
      'c',
      undefined,
      'a',
      'a',
      undefined,
    ]);
    expect(await ironcached('dump', '--cache', 'nope')).toMatchObject({
      status: 1,
      err: 'ironcached: there is no cache "nope"\n',
    });
  });

  test('of all projects has none that is suspended, says so, and leaves no token behind', async () => {
    const [second, third] = [await service.project(), await service.project({ name: 'third' })];
    await item('a', 'k', 1);
    const { text } = await service.token(second);
    await item('b', 'k', 2, second, text);
    await service.control('PATCH', `/projects/${third}`, { status: 'suspended' });
    const before = await service.control('GET', '/tokens');
    const { status, out, err } = await ironcached('dump', '--all-projects');
    expect(status).toBe(0);
    const first = out.split('\n').filter((line) => line.includes('"format"'));
    expect(first.map((line) => JSON.parse(line).project).sort()).toEqual([project, second].sort());
    expect(err).toContain(`the project ${third} is suspended, and not in the dump\n`);
    expect(await service.control('GET', '/tokens')).toEqual(before);
  });

  // One tenant could keep all others out of the backup.
  test('of all projects is made though one has as many tokens as it may have', async () => {
    service = await startControlled(['--max-tokens', '2']);
    const second = await service.project();
    const { text } = await service.token(second);
    await service.token(second);
    await item('b', 'k', 2, second, text);
    const before = await service.control('GET', '/tokens');
    const { status, out } = await ironcached('dump', '--all-projects');
    expect(status).toBe(0);
    expect(out).toContain(second);
    expect(await service.control('GET', '/tokens')).toEqual(before);
  });

  test.each([
    ['suspended', (id: string) => service.control('PATCH', `/projects/${id}`, { status: 'suspended' })],
    ['deleted', (id: string) => service.control('DELETE', `/projects/${id}`)],
  ])('of all projects goes on where one is %s meanwhile, and says so', async (_what, end) => {
    for (const id of ['1', '2', '3']) await service.project({ id: id.repeat(24) });
    const projects = ['1', '3'].map((digit) => digit.repeat(24));
    // More than a stream takes ahead.
    const value = 'v'.repeat(300_000);
    for (const each of projects) await item('a', 'k', value, each, (await service.token(each)).text);
    let out = '';
    const ends = new Writable({
      write: (chunk, _encoding, done) => {
        // The second one is listed by now, and its turn is next.
        const isFirst = out === '';
        out += chunk;
        if (isFirst) void end('2'.repeat(24)).then(() => done());
        else done();
      },
    });
    const args = ['dump', '--data-dir', service.dataDir, '--all-projects'];
    const { status, err } = await transfer(args, { out: ends });
    expect(err).toContain(`the project ${'2'.repeat(24)} was suspended or deleted meanwhile, `);
    expect(status).toBe(0);
    for (const each of projects) expect(out).toContain(each);
  });

  test('that is cut off tells in which cache, whose name does nothing to a terminal', async () => {
    const server = createServer(({ url = '' }, response) => {
      response.end(url.includes('/items') ? `${FIRST}\n` : JSON.stringify([{ name: '\x1b[2Jc' }]));
    });
    onTestFinished(() => void server.close());
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    const { status, err } = await ironcached('dump', '--server', `http://127.0.0.1:${port}`);
    expect(status).toBe(1);
    expect(err).toContain(`the dump of the cache "\\u001b[2Jc" of ${project} was cut off by the service\n`);
  });

  test('of all projects by an admin of some has these', async () => {
    const [second, third] = [await service.project(), await service.project()];
    for (const each of [second, third]) {
      await item('b', 'k', 2, each, (await service.token(each)).text);
    }
    const { text } = await service.token([project, second], { permissions: ['admin'] });
    const before = await service.control('GET', '/tokens');
    const { status, out } = await ironcached('dump', '--all-projects', '--admin-token', text);
    expect(status).toBe(0);
    expect(out).toContain(second);
    expect(out).not.toContain(third);
    expect(await service.control('GET', '/tokens')).toEqual(before);
  });

  test('has more caches than a page of their list', async () => {
    for (let i = 0; i < 101; i++) await item(`cache ${i}`, 'k', i);
    expect((await ironcached('dump', join(directory, 'dump'))).err).toContain('; caches: 101\n');
  });

  test('has caches whose names a path would take for a way up', async () => {
    for (const cache of ['.', '..', '...'])
      expect((await loadInto(cache, DUMP)).err).toMatch(/^loaded 2 items, /);
    const client = await textClient(service.memcachedPort);
    expect(await client.ask(signIn(token, project, '..'))).toBe('STORED\r\n');
    expect(await client.ask('mg a t\r\n')).toBe('HD t-1\r\n');
    const { out, err } = await ironcached('dump');
    expect(err).toMatch(/^dumped 6 items, .*; caches: 3\n$/);
    expect((await ironcached('dump', '--cache', '..', '--cache', '.')).out).toContain('"cache":".."');
    const other = await service.project();
    const into = ['load', '--data-dir', service.dataDir, '--project', other];
    expect((await transfer(into, { input: out })).err).toMatch(/^loaded 6 items, /);
  });

  test('in a file can be read by its owner alone, and is compressed where its name ends in .gz', async () => {
    await item('a', 'k', 'Hello');
    const file = join(directory, 'dump.jsonl.gz');
    writeFileSync(file, 'of yesterday', { mode: 0o644 });
    expect((await ironcached('dump', file)).status).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(gunzipSync(readFileSync(file)).toString()).toContain('"value":"Hello"');
    expect((await ironcached('load', '--cache', 'b', file)).status).toBe(0);
    expect(await item('b', 'k')).toBe('Hello');
    expect(readdirSync(directory)).toEqual(['dump.jsonl.gz']);
  });

  test('that fails leaves the file of before, and nothing else', async () => {
    const file = join(directory, 'dump');
    writeFileSync(file, 'of yesterday');
    expect((await ironcached('dump', '--cache', 'nope', file)).status).toBe(1);
    expect(readFileSync(file, 'utf8')).toBe('of yesterday');
    expect(readdirSync(directory)).toEqual(['dump']);
  });

  test('goes where a link leads, and the link stays', async () => {
    await item('a', 'k', 'Hello');
    const [link, file] = [join(directory, 'latest'), join(temporaryDirectory(), 'dump')];
    writeFileSync(file, 'of yesterday');
    symlinkSync(file, link);
    expect((await ironcached('dump', link)).status).toBe(0);
    expect(readFileSync(file, 'utf8')).toContain('"value":"Hello"');
    expect(readlinkSync(link)).toBe(file);
    expect(readdirSync(directory)).toEqual(['latest']);
  });

  test('goes there also where nothing is yet, by however many links', async () => {
    await item('a', 'k', 'Hello');
    const elsewhere = temporaryDirectory();
    symlinkSync('latest', join(directory, 'link'));
    symlinkSync(relative(directory, join(elsewhere, 'dump')), join(directory, 'latest'));
    expect((await ironcached('dump', join(directory, 'link'))).status).toBe(0);
    expect(readFileSync(join(elsewhere, 'dump'), 'utf8')).toContain('"value":"Hello"');
    expect(readdirSync(elsewhere)).toEqual(['dump']);
    expect(readlinkSync(join(directory, 'link'))).toBe('latest');
  });

  test('that has no place to be written to names the file that was asked for', async () => {
    const file = join(directory, 'nowhere', 'dump');
    expect(await ironcached('dump', file)).toMatchObject({
      status: 1,
      err: expect.stringContaining(`ironcached: ${file} cannot be written: ENOENT`),
    });
  });

  test('that is interrupted, too, with the status of the signal and no token left', async () => {
    const other = await service.project();
    const { text } = await service.token(other);
    for (let i = 0; i < 5; i++) await item('a', `key ${i}`, 'x'.repeat(1_000_000), other, text);
    const before = await service.control('GET', '/tokens');
    const interruption = new AbortController();
    // Its reader takes nothing.
    const out = new Writable({ write: () => interruption.abort('SIGINT') });
    const args = ['dump', '--data-dir', service.dataDir, '--project', other];
    expect(await transfer(args, { out, signal: interruption.signal })).toMatchObject({
      status: 130,
      err: 'ironcached: interrupted\n',
    });
    expect(await service.control('GET', '/tokens')).toEqual(before);
  });

  test('says nothing when its reader has had enough', async () => {
    await item('a', 'k', 'Hello');
    const out = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
    });
    const ran = await transfer(['dump', '--data-dir', service.dataDir], { out });
    expect(ran).toMatchObject({ status: 1, err: '' });
  });
});

describe('a load', () => {
  test('puts each dump of a file where it is from', async () => {
    await item('a', 'k', 1);
    await item('b', 'k', 2);
    const { out } = await ironcached('dump');
    for (const cache of ['a', 'b']) await item(cache, 'k', 'changed');
    const args = ['load', '--data-dir', service.dataDir];
    expect((await transfer(args, { input: out })).status).toBe(0);
    expect([await item('a', 'k'), await item('b', 'k')]).toEqual([1, 2]);
    // Compressed by somebody else.
    for (const cache of ['a', 'b']) await item(cache, 'k', 'changed');
    expect((await transfer([...args, '-'], { input: gzipSync(out) })).status).toBe(0);
    expect(await item('b', 'k')).toBe(2);
  });

  const load = (input: string, ...args: string[]) => loadInto('c', input, ...args);

  test('takes the byte order marks of files that editors wrote, and that were joined', async () => {
    const { status, err } = await load(`\ufeff${DUMP}\ufeff${DUMP}`);
    expect([status, err]).toEqual([0, expect.stringMatching(/^loaded 4 items, /)]);
  });

  test('leaves items as they are that are there, where that is asked for', async () => {
    await item('c', 'a', 'old');
    const { status, err } = await load(DUMP, '--add');
    expect(status).toBe(0);
    expect(err).toMatch(/^loaded 1 items, .*; 1 were there and stay\n$/);
    expect(await item('c', 'a')).toBe('old');
  });

  test('tells what was passed over, and with status 1 what was refused', async () => {
    const old = '{"key":"old","value":"v","expires":"2000-01-01T00:00:00Z"}';
    const large = JSON.stringify({ key: 'large', value: 'x'.repeat(1_048_577) });
    const dump = `${FIRST}\n${old}\n${large}\n{"key":"a","value":"1"}\n{"end":true,"items":3}\n`;
    const { status, err } = await load(dump);
    expect(status).toBe(1);
    expect(err).toMatch(/^loaded 1 items, .*; 1 had expired; 1 were refused\n/);
    expect(err).toContain(
      'ironcached: 1 items were refused, the first in line 3: a value may have at most 1048576 bytes\n',
    );
  });

  test.each([
    ['', 'there is no dump in it'],
    ['nonsense\n', 'line 1 is not valid JSON'],
    ['{"key":"a","value":"1"}\n', 'line 1 is not the first line of a dump'],
    [FIRST.replace('1}', '2}'), 'line 1 is of version 2 of the format; this release reads up to 1'],
    [
      `${FIRST}\n{"key":"a","value":"1"}\n`,
      'Line 3 is missing: it would say {"end": true}, so the dump was cut off',
    ],
    [`${FIRST}\n{"key":`, 'Line 2 breaks off: the dump was cut off'],
    [
      `${DUMP}${FIRST}\nnonsense\n`,
      '(counted from line 5 of the file, where that dump begins); of the dumps before it, 2 items were loaded',
    ],
    [`${DUMP}{"ironcached-dump":`, 'line 5 is not valid JSON; of the dumps before it, 2 items were loaded'],
    [
      DUMP + DUMP.replace('"version":1', '"version":1,"cache":"another"'),
      'there are dumps of several caches, which --cache would mix: leave it out',
    ],
    [
      DUMP + DUMP.replace('"version":1', '"version":1,"project":"4e71843298b1db3f0d0000aa"'),
      'there are dumps of several projects, which --project would mix: leave it out',
    ],
  ])('says what is wrong with a file, and ends with status 1: %#', async (input, mistake) => {
    const { status, err } = await load(input);
    expect(status).toBe(1);
    expect(err).toContain('ironcached: ');
    expect(err).toContain(mistake);
  });

  test('ends at once at a line that is not as it should be, however much follows', async () => {
    const { status, err } = await load(`${FIRST}\nnonsense\n${'x\n'.repeat(5_000_000)}`);
    expect(status).toBe(1);
    expect(err).toContain(': Line 2 is not valid JSON. Items loaded before it, which stay: 0.\n');
  });

  test('of lines that name no place goes into the usual project, and needs a cache', async () => {
    const args = ['load', '--data-dir', service.dataDir];
    expect((await transfer([...args, '--cache', 'c'], { input: DUMP })).status).toBe(0);
    expect(await item('c', 'b')).toBe('2');
    expect(await transfer(args, { input: DUMP })).toMatchObject({
      status: 1,
      err: 'ironcached: line 1 does not name a cache: give --cache\n',
    });
  });

  test('of a file that is compressed and cut off is told so', async () => {
    const file = join(directory, 'dump.gz');
    const lines = Array.from({ length: 20_000 }, (_, i) =>
      JSON.stringify({ key: `k${i}`, value: `${i ** 7}` }),
    );
    const args = ['load', '--data-dir', service.dataDir, '--project', project, '--cache', 'c', file];
    for (const [dump, length] of [
      [DUMP, 40],
      [[FIRST, ...lines, ''].join('\n'), 200_000],
    ] as const) {
      writeFileSync(file, gzipSync(dump).subarray(0, length));
      expect(await transfer(args)).toMatchObject({
        status: 1,
        err: expect.stringContaining(`ironcached: ${file} cannot be read: unexpected end of file\n`),
      });
    }
  });
});

describe('the right to it', () => {
  test('is a token that is named, or that of the settings', async () => {
    await item('a', 'k', 1);
    const server = ['--server', `http://127.0.0.1:${service.httpPort}`, '--data-dir', directory];
    const own = ['--project', project];
    expect((await transfer(['dump', ...server, ...own, '--token', token])).status).toBe(0);
    expect((await transfer(['dump', ...server, ...own])).err).toContain('an admin token is needed');
    expect((await transfer(['dump', ...server, '--token', token])).err).toBe(
      'ironcached: name the project, by --project ID\n',
    );
    vi.stubEnv('IRONCACHED_PROJECT_ID', project);
    vi.stubEnv('IRONCACHED_TOKEN', token);
    expect((await transfer(['dump', ...server])).status).toBe(0);
    vi.unstubAllEnvs();
  });

  test('is told to be missing, with where that was said', async () => {
    const { text } = await service.token(project, { permissions: ['read'] });
    const args = [
      'load',
      '--data-dir',
      service.dataDir,
      '--project',
      project,
      '--cache',
      'c',
      '--token',
      text,
    ];
    expect(await transfer(args, { input: DUMP })).toMatchObject({
      status: 1,
      err: `ironcached: http://127.0.0.1:${service.httpPort}: This token may not write. Use a token with the permission "write".\n`,
    });
  });
});

describe('where requests are limited', () => {
  const clock = testClock();
  const REASON = 'This project may make 10 requests per second. Wait, then try again.';
  const WAITING = `ironcached: waiting, as the service asks: ${REASON}\n`;
  let limited: string;
  let args: readonly string[];
  /** The second of the limit is over when somebody is told to wait. */
  const onErr = (text: string) => {
    if (text.includes(WAITING)) clock.advance(1_000);
  };

  beforeEach(async () => {
    service = await startControlled([], { clock });
    limited = await service.project({ quotas: { requests_per_second: 10 } });
    args = ['--data-dir', service.dataDir, '--project', limited];
  });

  async function useUp(): Promise<void> {
    const { text } = await service.token(limited);
    for (const cache of ['a', 'b']) await item(cache, 'k', 'v', limited, text);
    for (let i = 0; i < 8; i++) expect(await item('a', 'k', undefined, limited, text)).toBe('v');
  }

  test('a dump waits until others leave some, and says so', async () => {
    await useUp();
    const { status, out, err } = await transfer(['dump', ...args], { onErr });
    expect([status, err]).toEqual([0, expect.stringMatching(/\ndumped 2 items, .*; caches: 2\n$/)]);
    expect(err.startsWith(WAITING)).toBe(true);
    expect(out.match(/"end":true/g)).toHaveLength(2);
  });

  test('a load waits, too, with all that it has to send', async () => {
    await useUp();
    const load = ['load', ...args, '--cache', 'c'];
    const { status, err } = await transfer(load, { input: DUMP, onErr });
    expect([status, err]).toEqual([0, expect.stringMatching(/\nloaded 2 items, .*items\/s\n$/)]);
    expect(err.startsWith(WAITING)).toBe(true);
  });

  test('a terminal is told as long as that is so', async () => {
    await useUp();
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const told = (text: string) => {
      onErr(text);
      if (text.includes(WAITING)) vi.advanceTimersByTime(1_000);
    };
    const { err } = await transfer(['dump', ...args], { isTerminal: true, onErr: told });
    vi.useRealTimers();
    const [start, line, ...more] = err.split('\r\x1b[K');
    expect([start, line]).toEqual(['', WAITING]);
    expect(more[0]).toMatch(/^dumped 0 items, .*; waiting$/);
    expect(more.at(-1)).toMatch(/; caches: 2\n$/);
  });

  test('who is interrupted waits no longer', async () => {
    await useUp();
    const interruption = new AbortController();
    const { status, err } = await transfer(['load', ...args, '--cache', 'c'], {
      input: DUMP,
      signal: interruption.signal,
      onErr: () => interruption.abort('SIGINT'),
    });
    expect([status, err]).toEqual([130, `${WAITING}ironcached: interrupted\n`]);
  });
});

describe('the progress', () => {
  test('is shown at a terminal each second, and taken away before the last line', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    await item('a', 'k', 1);
    const out = new Writable({
      write: (_chunk, _encoding, done) => {
        vi.advanceTimersByTime(1_000);
        done();
      },
    });
    const { err } = await transfer(['dump', '--data-dir', service.dataDir], { out, isTerminal: true });
    vi.useRealTimers();
    const line = String.raw`\r\x1b\[Kdumped [01] items, 0\.0 MB in \S+ s, \S+ items/s`;
    expect(err).toMatch(new RegExp(String.raw`^(?:${line})+\r\x1b\[Kdumped 1 items.*; caches: 1\n$`));
  });
});

describe('a mistake', () => {
  test.each([
    [['dump', '--project', 'a1'.repeat(12), '--project', 'a2'.repeat(12)], '--project can be given once'],
    [['load', '--add=true'], '--add takes no value'],
    [['dump', '--all-projects=yes'], '--all-projects takes no value'],
    [['dump', '--add'], '--add: dump has no such option; see ironcached dump --help'],
    [['dump', 'a', 'b'], 'there is an argument too many; it takes FILE'],
    [['dump', '--project', 'x'], '--project must be 24 lower-case hexadecimal digits'],
    [['dump', '--all-projects', '--cache', 'x'], '--cache and --all-projects exclude each other'],
    [
      ['dump', '--all-projects', '--project', 'a1'.repeat(12)],
      '--project and --all-projects exclude each other',
    ],
    [['load', '--cache', 'a', '--cache', 'b'], '--cache: load takes one cache'],
    [['load', '--cache'], '--cache must be the name of a cache'],
    [['load', '--token', 'x y'], '--token must be 8 to 256 printable ASCII characters without spaces'],
    [['load', '--server', 'x'], '--server must be an address like http://127.0.0.1:8080'],
    [
      ['load', '--from-memcached', 'x', '--cache', 'c'],
      '--from-memcached must be an address like 127.0.0.1:11211',
    ],
    [['load', '--from-memcached', 'x:11211'], '--from-memcached needs --cache, to load into'],
    [['load', '--from-memcached', 'x:11211', '--cache', 'c', 'file'], '--from-memcached takes no FILE'],
    [['load', '--memcached-auth', 'file'], '--memcached-auth needs --from-memcached'],
    [['dump', ''], 'the FILE must be the name of a file'],
    [['load', ''], 'the FILE must be the name of a file'],
    [
      ['load', '--from-memcached', 'x:11211', '--cache', 'c', '--memcached-auth', ''],
      '--memcached-auth must be the name of a file',
    ],
  ])('is told with status 2: %j', async (args, mistake) => {
    const { status, out, err } = await transfer(args);
    expect([status, out]).toEqual([2, '']);
    expect(err).toContain(`ironcached: ${mistake}`);
  });

  test('is not to ask for help', async () => {
    const { status, out } = await transfer(['load', '--help']);
    expect(status).toBe(0);
    for (const text of ['dump [FILE]', 'load [FILE]', '--from-memcached HOST:PORT'])
      expect(out).toContain(text);
  });
});

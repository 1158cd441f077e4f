import { expect, test } from 'vitest';
import type { KeyBytes } from '../../../src/engine/key.ts';
import { BufferPool } from '../../../src/memcached/connections/buffer-pool.ts';
import { Parser } from '../../../src/memcached/requests/parser.ts';
import { ReadAhead } from '../../../src/memcached/requests/read-ahead.ts';
import type { Request } from '../../../src/memcached/requests/request.ts';

const LIMITS = { lineBytesMax: 4096, valueBytesMax: 10 };

const BYTES = [
  'get a bb\r\n',
  'set key 0 0 3\r\nval\r\n',
  // Its block is passed over.
  `set large 0 0 20\r\n${'get x\r\n'.repeat(3).slice(0, 20)}\r\n`,
  'incr n 5\r\n',
  'nonsense\r\n',
  'mg meta v O123 k\r\n',
  'ms other 3 O45\r\nval\r\n',
].join('');

const REQUESTS = [
  'get a,bb',
  'set key val',
  'refused large',
  'incr n',
  'refused ',
  'mg meta O123',
  'ms other O45 val',
];

/** What a request says, as a text, since the request does not last. */
function told(request: Request): string {
  const key = 'key' in request ? request.key : 'keys' in request ? request.keys : '';
  const tooLargeFor = 'tooLargeFor' in request ? request.tooLargeFor : '';
  const opaque = 'opaque' in request ? ` ${request.opaque}` : '';
  const data = 'data' in request ? ` ${request.data.toString('latin1')}` : '';
  return `${request.command} ${key}${tooLargeFor}${opaque}${data}`;
}

/** Reads chunks, and has what is read ahead kept after every so many requests; then the chunk is gone. */
function read(chunks: readonly string[], keepAfter: number, expected: string[] = []): string[] {
  const parser = new Parser(LIMITS, new BufferPool());
  const requests: string[] = [];
  const expectKeys = (keys: readonly KeyBytes[], count: number) =>
    expected.push(keys.slice(0, count).join(' '));
  const ahead = new ReadAhead(parser, expectKeys);
  for (const text of chunks) {
    const chunk = Buffer.from(text, 'latin1');
    parser.push(chunk);
    for (let request = ahead.next(); request; request = ahead.next()) {
      requests.push(told(request));
      if (requests.length % keepAfter !== 0) continue;
      ahead.keep();
      parser.detach();
      chunk.fill('?');
    }
    chunk.fill('?');
  }
  return requests;
}

test('gives the requests in order, however the bytes are cut', () => {
  for (let cut = 0; cut <= BYTES.length; cut++) {
    expect(read([BYTES.slice(0, cut), BYTES.slice(cut)], Number.POSITIVE_INFINITY)).toEqual(REQUESTS);
  }
  expect(read([...BYTES], Number.POSITIVE_INFINITY)).toEqual(REQUESTS);
});

test('gives them whole though their chunk is gone, however the bytes are cut', () => {
  for (const keepAfter of [1, 2, 3]) {
    for (let cut = 0; cut <= BYTES.length; cut++) {
      expect(read([BYTES.slice(0, cut), BYTES.slice(cut)], keepAfter)).toEqual(REQUESTS);
    }
  }
});

test('tells of the keys of all requests of a chunk at once', () => {
  const expected: string[] = [];
  read([BYTES, 'get single\r\n'], Number.POSITIVE_INFINITY, expected);
  expect(expected).toEqual(['a bb key large n meta other', 'single']);
});

test('reads a bounded number ahead', () => {
  const expected: string[] = [];
  const requests = read(['get k\r\n'.repeat(100)], Number.POSITIVE_INFINITY, expected);
  expect(requests).toHaveLength(100);
  expect(expected.map((keys) => keys.split(' ').length)).toEqual([32, 32, 32, 4]);
});

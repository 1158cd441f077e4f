import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { BufferPool } from '../../../src/memcached/connections/buffer-pool.ts';
import { Parser, type ParserLimits } from '../../../src/memcached/requests/parser.ts';
import type { Request, RetrievalRequest } from '../../../src/memcached/requests/request.ts';

const LIMITS: ParserLimits = { lineBytesMax: 4096, valueBytesMax: 100 };

/** What the parser makes of chunks. What it gives is copied, since it holds only until the next. */
function parse(chunks: readonly string[], limits = LIMITS): object[] {
  const parser = new Parser(limits, new BufferPool());
  const requests: object[] = [];
  for (const chunk of chunks) {
    parser.push(Buffer.from(chunk, 'latin1'));
    for (let request = parser.next(); request; request = parser.next()) {
      requests.push(kept(request));
    }
  }
  return requests;
}

/** The same with plain texts. */
function kept(request: Request): object {
  return {
    ...request,
    ...('key' in request ? { key: String(request.key) } : {}),
    ...('keys' in request ? { keys: request.keys.map(String) } : {}),
    ...('data' in request ? { data: request.data.toString('latin1') } : {}),
    ...('tooLargeFor' in request ? { tooLargeFor: String(request.tooLargeFor) } : {}),
  };
}

const GET = { command: 'get', keys: ['a'], exptime: 0, answered: 0 };

test('nothing is no request', () => {
  expect(parse([])).toEqual([]);
  expect(parse(['', 'get', ' a', '\r'])).toEqual([]);
});

test('a line in one chunk, in many, and several in one', () => {
  expect(parse(['get a\r\n'])).toEqual([GET]);
  expect(parse([...'get a\r\n'])).toEqual([GET]);
  expect(parse(['get a\r\nget a\nget', ' a\r\n'])).toEqual([GET, GET, GET]);
});

test('a get of very many keys has few of them at a time, and its line need not last for the others', () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `key-${i}`);
  const parser = new Parser({ ...LIMITS, lineBytesMax: 1024 * 1024 }, new BufferPool());
  const chunk = Buffer.from(`get  ${names.join('  ')} \r\n`);
  parser.push(chunk);
  const request = parser.next() as RetrievalRequest;
  const found = request.keys.map(String);
  chunk.fill('x');
  expect(found).toHaveLength(4096);
  for (let keys = request.later?.next(); keys; keys = request.later?.next()) {
    expect(keys.length).toBeLessThanOrEqual(4096);
    found.push(...keys.map(String));
  }
  expect(found).toEqual(names);
  expect(request.later?.count).toBe(10_000 - 4096);
  const tooLong = 'k'.repeat(251);
  expect(parse([`get ${names.join(' ')} ${tooLong}\r\n`], parser.limits)).toMatchObject([
    { reply: 'CLIENT_ERROR bad command line format' },
  ]);
});

test('a data block is a block however it is cut', () => {
  const bytes = 'set k 5 0 7\r\na\r\nget\n\r\nget a\r\n';
  const set = { command: 'set', key: 'k', flags: 5, exptime: 0, cas: 0, noreply: false, data: 'a\r\nget\n' };
  for (let cut = 0; cut <= bytes.length; cut++) {
    expect(parse([bytes.slice(0, cut), bytes.slice(cut)])).toEqual([set, GET]);
  }
  expect(parse([...bytes])).toEqual([set, GET]);
});

test('a value above the limit is refused before it comes, then passed over to its last byte', () => {
  const refused = { command: 'refused', reply: 'SERVER_ERROR object too large for cache', noreply: false };
  const announced = 'set k 0 0 101\r\n';
  expect(parse([announced])).toEqual([{ ...refused, tooLargeFor: 'k' }]);
  expect(parse([announced, 'v'.repeat(50), `${'v'.repeat(51)}\r`, '\nget a\r\n'])).toEqual([
    { ...refused, tooLargeFor: 'k' },
    GET,
  ]);
  expect(parse([`add k 0 0 101\r\n${'v'.repeat(101)}\r\nget a\r\n`])).toEqual([refused, GET]);
});

test('limits may change between two requests', () => {
  const parser = new Parser(LIMITS, new BufferPool());
  parser.push(Buffer.from('set k 0 0 101\r\n'));
  parser.limits = { ...LIMITS, valueBytesMax: 101 };
  expect(parser.next()).toBeUndefined();
  parser.push(Buffer.from(`${'v'.repeat(101)}\r\n`));
  expect(parser.next()).toMatchObject({ command: 'set', data: Buffer.from('v'.repeat(101)) });
});

test('a bad data chunk is as long as it said', () => {
  const bad = { command: 'refused', reply: 'CLIENT_ERROR bad data chunk', noreply: false };
  expect(parse(['set k 0 0 1\r\nabcget a\r\n'])).toEqual([bad, GET]);
  expect(parse(['set k 0 0 1 noreply\r\nabcget a\r\n'])).toEqual([{ ...bad, noreply: true }, GET]);
});

describe('a line without an end', () => {
  const silentClose = { command: 'refused', reply: '', noreply: true, close: true };

  test('is waited for up to 2048 bytes', () => {
    expect(parse(['x'.repeat(2048)])).toEqual([]);
    expect(parse(['x'.repeat(2049)])).toEqual([silentClose]);
  });

  test('is waited for up to the limit where it is a get', () => {
    const line = `get ${'k '.repeat(2046)}`;
    expect(parse([line])).toEqual([]);
    expect(parse([`gets ${'k '.repeat(1000)}`, 'k '.repeat(1000)])).toEqual([]);
    expect(parse([line, 'x'])).toEqual([
      { ...silentClose, reply: 'CLIENT_ERROR line too long', noreply: false },
    ]);
  });

  test('is refused at the limit also where its end came along', () => {
    const tooLong = { command: 'refused', reply: 'CLIENT_ERROR line too long', noreply: false, close: true };
    expect(parse([`get ${'k '.repeat(3000)}\r\n`])).toEqual([tooLong]);
  });

  test('costs no more than its bytes when they come one by one', () => {
    const limits = { ...LIMITS, lineBytesMax: 1024 * 1024 };
    const line = `get ${'k '.repeat(20_000)}\r\n`;
    const joins = vi.spyOn(Buffer, 'concat');
    onTestFinished(() => joins.mockRestore());
    expect(parse([...line], limits)).toHaveLength(1);
    // Quadratic work would be 800 MB.
    const copied = joins.mock.results.reduce((sum, { value }) => sum + (value as Buffer).length, 0);
    expect(copied).toBeLessThan(800e6 / 40);
  });

  test('is told from others by its beginning, however it is cut', () => {
    for (const space of ['', ' '.repeat(100)]) {
      const line = `${space}get ${'k '.repeat(1500)}\r\n`;
      expect(parse([line.slice(0, 1), ...line.slice(1)])).toHaveLength(1);
      expect(parse([line.slice(0, 2), line.slice(2, 2500), line.slice(2500)])).toHaveLength(1);
      expect(parse([...line.replace('get', 'gat')].slice(0, 2049))).toMatchObject([silentClose]);
    }
  });
});

test('what is left of a chunk may be kept while the chunk is used for something else', () => {
  const parser = new Parser(LIMITS, new BufferPool());
  const chunk = Buffer.from('get a\r\nget a\r\n');
  parser.push(chunk);
  parser.next();
  parser.detach();
  chunk.fill(0);
  expect(kept(parser.next() as Request)).toEqual(GET);
});

test('a part of a line or of a block is a copy', () => {
  const parser = new Parser(LIMITS, new BufferPool());
  const requests: object[] = [];
  for (const part of ['ge', 't a\r\nset k 0 0 3\r\na', 'bc\r\n']) {
    const chunk = Buffer.from(part);
    parser.push(chunk);
    for (let request = parser.next(); request; request = parser.next()) requests.push(kept(request));
    chunk.fill('x');
  }
  expect(requests).toEqual([GET, expect.objectContaining({ command: 'set', key: 'k', data: 'abc' })]);
});

describe('where a data block lies that comes in pieces', () => {
  const pool = new BufferPool();

  function begin(value: string): Parser {
    const parser = new Parser(LIMITS, pool);
    parser.push(Buffer.from(`set k 0 0 ${value.length}\r\n${value.slice(0, 1)}`));
    expect(parser.next()).toBeUndefined();
    return parser;
  }

  function finish(parser: Parser, value: string): Buffer {
    parser.push(Buffer.from(`${value.slice(1)}\r\n`));
    const request = parser.next();
    if (request?.command !== 'set') throw new Error('that is no set');
    expect(request.data.toString()).toBe(value);
    return request.data;
  }

  test('is its own until it is let go, then the next one lies there', () => {
    const [one, other] = [begin('one'), begin('other')];
    const data = finish(one, 'one');
    expect(finish(other, 'other').buffer).not.toBe(data.buffer);
    expect(finish(begin('third'), 'third').buffer).not.toBe(data.buffer);
    expect(data.toString()).toBe('one');
    one.letGo();
    expect(finish(begin('fourth'), 'fourth').buffer).toBe(data.buffer);
  });

  test('is let go by what comes next, by what is kept of a chunk, and where nothing more comes', () => {
    const letGo: ((parser: Parser) => void)[] = [
      (parser) => parser.push(Buffer.from('get a\r\n')),
      (parser) => parser.detach(),
      (parser) => parser.abandon(),
    ];
    for (const end of letGo) {
      const parser = begin('one');
      const { buffer } = finish(parser, 'one');
      end(parser);
      const next = begin('next');
      expect(finish(next, 'next').buffer).toBe(buffer);
      next.abandon();
    }
  });

  test('is let go by who leaves in the midst of it', () => {
    const parser = begin('one');
    const { buffer } = finish(parser, 'one');
    parser.letGo();
    begin('another').abandon();
    expect(finish(begin('next'), 'next').buffer).toBe(buffer);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstLine, lastLine } from '../../src/dump/first-and-last-line.ts';
import { itemLine, type PortableItem } from '../../src/dump/item-line.ts';
import { readLine } from '../../src/dump/line.ts';
import { NEVER } from '../../src/engine/item.ts';
import { keyFromText } from '../../src/engine/key.ts';

const NOON = Date.UTC(2030, 0, 15, 12);

function itemOf(special: Partial<PortableItem>): PortableItem {
  return {
    key: 'k',
    value: Buffer.from('v'),
    kind: 'text',
    flags: 0,
    expiresAt: NEVER,
    stale: false,
    ...special,
  };
}

function read(line: string | Buffer) {
  return readLine(Buffer.from(line));
}

describe('an item', () => {
  test.each([
    ['text', { value: Buffer.from('Grüße "\n"') }, '{"key":"k","kind":"text","value":"Grüße \\"\\n\\""}'],
    [
      'a number beyond 2^53',
      { kind: 'number', value: Buffer.from('123456789012345678901.50') },
      '{"key":"k","kind":"number","value":"123456789012345678901.50"}',
    ],
    [
      'a number that decr made shorter',
      { kind: 'number', value: Buffer.from('9 ') },
      '{"key":"k","kind":"number","value":"9 "}',
    ],
    [
      'JSON as it was written',
      { kind: 'json', value: Buffer.from('{"a": [1.0,\n null]}') },
      '{"key":"k","kind":"json","value":"{\\"a\\": [1.0,\\n null]}"}',
    ],
    ['bytes that are text', { kind: 'bytes' }, '{"key":"k","kind":"bytes","value":"v"}'],
    [
      'bytes that are none',
      { kind: 'bytes', value: Buffer.from([0xff, 0]) },
      '{"key":"k","kind":"bytes","value_base64":"/wA="}',
    ],
    ['nothing', { kind: 'bytes', value: Buffer.alloc(0) }, '{"key":"k","kind":"bytes","value":""}'],
    ['a key of UTF-8', { key: keyFromText('ключ') }, '{"key":"ключ","kind":"text","value":"v"}'],
    ['a key that is none', { key: '\xff' }, '{"key_base64":"/w==","kind":"text","value":"v"}'],
    [
      'flags, an expiry and a mark',
      { flags: 4_294_967_295, expiresAt: NOON + 1, stale: true },
      '{"key":"k","kind":"text","value":"v","flags":4294967295,"expires":"2030-01-15T12:00:00.001Z","stale":true}',
    ],
  ] as const)('is a line and the same item again: %s', (_what, special, line) => {
    const item = itemOf(special);
    expect(itemLine(item)).toBe(`${line}\n`);
    expect(read(line)).toEqual({ is: 'item', item });
  });

  test('of any bytes is the same after the way', () => {
    const bytes = fc.uint8Array({ maxLength: 250 }).map((array) => Buffer.from(array));
    const keys = fc.uint8Array({ minLength: 1, maxLength: 250 });
    fc.assert(
      fc.property(
        fc.record({
          key: keys.map((array) => Buffer.from(array).toString('latin1')),
          value: bytes,
          kind: fc.constant('bytes' as const),
          flags: fc.nat(0xffff_ffff),
          expiresAt: fc.oneof(fc.constant(NEVER), fc.integer({ min: 0, max: Date.UTC(9998, 0, 1) })),
          stale: fc.boolean(),
        }),
        (item) => {
          expect(read(itemLine(item))).toEqual({ is: 'item', item });
        },
      ),
    );
  });

  test('of which little is said is text that never expires', () => {
    expect(read('{"key":"k","value":"v"}')).toEqual({ is: 'item', item: itemOf({}) });
  });

  test.each(['13:00:00+01:00', '10:30:00-01:30'])('may expire by a time of another zone: %s', (time) => {
    const line = `{"key":"k","value":"v","expires":"2030-01-15T${time}"}`;
    expect(read(line)).toEqual({ is: 'item', item: itemOf({ expiresAt: NOON }) });
  });

  test('that lives until the year 9999 or beyond never expires', () => {
    expect(itemLine(itemOf({ expiresAt: 1e300 }))).not.toContain('expires');
    expect(itemLine(itemOf({ expiresAt: Date.UTC(9999, 0, 1) }))).not.toContain('expires');
    expect(itemLine(itemOf({ expiresAt: Date.UTC(9999, 0, 1) - 1 }))).toContain('9998-12-31T23:59:59.999Z');
  });

  test.each(['0', '-0.5', '12e3', '1.5E+10', '1e-7', '7  '])(
    'may be a number as JSON has it: "%s"',
    (value) => {
      const line = `{"key":"k","kind":"number","value":"${value}"}`;
      expect(read(line)).toEqual({ is: 'item', item: itemOf({ kind: 'number', value: Buffer.from(value) }) });
    },
  );

  test('may have no bytes, as base64, too', () => {
    const item = itemOf({ kind: 'bytes', value: Buffer.alloc(0) });
    expect(read('{"key":"k","kind":"bytes","value_base64":""}')).toEqual({ is: 'item', item });
  });

  test.each(['k'.repeat(250), '😀'.repeat(250)])('may have as many characters in its key: %s', (key) => {
    const item = itemOf({ key: keyFromText(key) });
    expect(read(`{"key":"${key}","value":"v"}`)).toEqual({ is: 'item', item });
  });
});

test('the first line of a dump says what it is of, and the last one how much there was', () => {
  const origin = { project: '0123456789abcdef01234567', cache: 'c' };
  const line = firstLine(origin, NOON);
  expect(line).toContain('"at":"2030-01-15T12:00:00.000Z"');
  expect(read(line)).toEqual({ is: 'first', origin });
  expect(read('{"format":"ironcached items","version":1}')).toEqual({
    is: 'first',
    origin: { project: undefined, cache: undefined },
  });
  for (const items of [0, 3]) expect(read(lastLine(items))).toEqual({ is: 'last', items });
});

describe('a line that is not as it should be', () => {
  const SECRET = 'somebodys-secret';
  const PROJECT = '0123456789abcdef01234567';

  test.each([
    [`{"key":"${SECRET}"`, 'is not valid JSON'],
    [`["${SECRET}"]`, 'is not a JSON object'],
    ['null', 'is not a JSON object'],
    [`"${SECRET}"`, 'is not a JSON object'],
    ['42', 'is not a JSON object'],
    [Buffer.from([0x1f, 0x8b, 8, 0]), 'is compressed: send what gunzip makes of it'],
    [Buffer.from('{"key":"\xff","value":"v"}', 'latin1'), 'is not valid UTF-8; give bytes as'],
    [`{"key":"k","value":"v","${SECRET}":1}`, 'has a member that is none of an item; these are: key, '],
    ['{"value":"v"}', 'must have text as "key" or as "key_base64"'],
    ['{"key":"k"}', 'must have text as "value" or as "value_base64"'],
    ['{"key":"k","value":42}', 'must have text as "value"'],
    ['{"key":"k","value":"v","value_base64":"dg=="}', 'must have text as "value" or as "value_base64"'],
    ['{"key":"k","key_base64":"aw==","value":"v"}', 'must have "key" or "key_base64", not both'],
    ['{"key":"k","value_base64":"d"}', 'has a "value_base64" that is not base64'],
    ['{"key":"k","value_base64":"d==="}', 'has a "value_base64" that is not base64'],
    ['{"key":"k","value_base64":"?A=="}', 'has a "value_base64" that is not base64'],
    ['{"key":"k","value_base64":"????"}', 'has a "value_base64" that is not base64'],
    ['{"key":"","value":"v"}', 'must have a key of 1 to 250 characters'],
    [`{"key":"${'ü'.repeat(251)}","value":"v"}`, 'must have a key of 1 to 250 characters'],
    ['{"key_base64":"","value":"v"}', 'must have a key of 1 to 250 characters'],
    [`{"key_base64":"${'A'.repeat(336)}","value":"v"}`, 'must have a key of 1 to 250 characters'],
    ['{"key":"k","value":"\\ud800"}', 'has half a surrogate pair in "value"'],
    ['{"key":"\\ud800","value":"v"}', 'has half a surrogate pair in "key"'],
    [
      '{"key":"k","value":"v","kind":"toString"}',
      'must have one of these as "kind": text, number, json, bytes',
    ],
    ['{"key":"k","value":"v","kind":["text"]}', 'must have one of these as "kind"'],
    ['{"key":"k","value":"01","kind":"number"}', 'has a value that is not a JSON number'],
    ['{"key":"k","value":"+1","kind":"number"}', 'has a value that is not a JSON number'],
    ['{"key":"k","value":"1,5","kind":"number"}', 'has a value that is not a JSON number, as its kind says'],
    ['{"key":"k","value":"{","kind":"json"}', 'has a value that is not valid JSON, as its kind says'],
    ['{"key":"k","value_base64":"/w==","kind":"text"}', 'has a value that is not text in UTF-8'],
    ['{"key":"k","value_base64":"Iv8i","kind":"json"}', 'has a value that is not valid JSON'],
    [
      '{"key":"k","value":"v","flags":4294967296}',
      'must have a whole number from 0 to 4294967295 as "flags"',
    ],
    ['{"key":"k","value":"v","flags":"1"}', 'must have a whole number'],
    ['{"key":"k","value":"v","flags":-1}', 'must have a whole number'],
    ['{"key":"k","value":"v","flags":1.5}', 'must have a whole number'],
    [
      '{"key":"k","value":"v","expires":1894708800}',
      'must have a time like 2030-01-15T12:00:00.000Z as "expires"',
    ],
    ['{"key":"k","value":"v","expires":"2030-13-15T12:00:00Z"}', 'must have a time like'],
    ['{"key":"k","value":"v","expires":"2030-02-30T12:00:00Z"}', 'must have a time like'],
    ['{"key":"k","value":"v","expires":"2030-01-15T24:00:00Z"}', 'must have a time like'],
    ['{"key":"k","value":"v","expires":"2030-01-15T12:60:00Z"}', 'must have a time like'],
    ['{"key":"k","value":"v","expires":"2030-01-15T12:00:00"}', 'must have a time like'],
    ['{"key":"k","value":"v","expires":"on 2030-01-15T12:00:00Z"}', 'must have a time like'],
    ['{"key":"k","value":"v","expires":"2030-01-15T12:00:00Z or so"}', 'must have a time like'],
    ['{"key":"k","value":"v","expires":["2030-01-15T12:00:00Z"]}', 'must have a time like'],
    ['{"key":"k","value":"v","stale":1}', 'must have true or false as "stale"'],
    ['{"format":"another","version":1}', 'must have "format": "ironcached items"'],
    ['{"format":"ironcached items"}', 'must have "version": 1'],
    ['{"format":"ironcached items","version":0}', 'must have "version": 1'],
    ['{"format":"ironcached items","version":1.5}', 'must have "version": 1'],
    ['{"format":"ironcached items","version":1,"cache":7}', 'must have the name of a cache as "cache"'],
    [`{"format":"ironcached items","version":1,"project":["${PROJECT}"]}`, 'must have 24 lower-case hex'],
    [`{"format":"ironcached items","version":1,"project":"${PROJECT}0"}`, 'must have 24 lower-case hex'],
    [`{"format":"ironcached items","version":1,"project":"0${PROJECT}"}`, 'must have 24 lower-case hex'],
    [
      `{"format":"ironcached items","version":1,"project":"${PROJECT.toUpperCase()}"}`,
      'must have 24 lower-case hexadecimal digits as "project"',
    ],
    [
      '{"format":"ironcached items","version":2}',
      'is of version 2 of the format; this release reads up to 1',
    ],
    ['{"format":"ironcached items","version":1,"cache":""}', 'must have the name of a cache as "cache"'],
    [
      '{"format":"ironcached items","version":1,"project":"web"}',
      'must have 24 lower-case hexadecimal digits as "project"',
    ],
    ['{"end":false,"items":0}', 'has a member that is none of an item'],
    ['{"end":true}', 'must have the number of items: {"end": true, "items": 3}'],
    ['{"end":true,"items":-1}', 'must have the number of items'],
    ['{"end":true,"items":1.5}', 'must have the number of items'],
    ['{"end":true,"items":"1"}', 'must have the number of items'],
  ])('is told as such, without what it holds: %s', (line, mistake) => {
    expect(() => read(line)).toThrow(mistake);
    expect(() => read(line)).not.toThrow(SECRET);
  });
});

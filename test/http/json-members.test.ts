import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { memberSource, readMembers } from '../../src/http/json-members.ts';

describe('the source text of a member', () => {
  test.each([
    ['{"a":1.50}', '1.50'],
    [' { "a" : -0.0e+10 , "b":1 } ', '-0.0e+10'],
    ['{"b":{"a":1},"a":2}', '2'],
    ['{"b":"\\"a\\":1","a":2}', '2'],
    ['{"b":"\\\\","a":"\\\\\\""}', '"\\\\\\""'],
    ['{"a":1,"b":2,"a":3}', '3'],
    ['{"\\u0061":[1,[2,{"a":"]"}]]\n}', '[1,[2,{"a":"]"}]]'],
    ['{"a":{ "x" : "}" }}', '{ "x" : "}" }'],
    ['{"a":null}', 'null'],
    ['{"":"x","a":true,"c":[]}', 'true'],
  ])('is found in %s', (text, source) => {
    expect(memberSource(text, 'a')).toBe(source);
  });

  test('is, for every member of any object, what JSON.parse read', () => {
    const spaced = fc.tuple(
      fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()),
      fc.integer({ min: 0, max: 3 }),
    );
    fc.assert(
      fc.property(spaced, ([object, indent]) => {
        const text = JSON.stringify(object, null, indent);
        const parsed: Record<string, unknown> = JSON.parse(text);
        for (const name of Object.keys(parsed)) {
          if (!isDeepStrictEqual(JSON.parse(memberSource(text, name)), parsed[name])) return false;
        }
        return true;
      }),
    );
  });

  test('of a hundred thousand brackets is found without recursion', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(
      readMembers(Buffer.from(`{"a":${deep}}`), '')
        .get('a')
        ?.source(),
    ).toBe(deep);
  });

  test('is found quickly behind many escapes', () => {
    const value = JSON.stringify('\\"'.repeat(250_000));
    expect(memberSource(`{"b":${value},"a":1}`, 'a')).toBe('1');
  });
});

describe('of many members', () => {
  test('only those that are wanted are told, in whatever case they are written', () => {
    const members = readMembers(
      Buffer.from('{"B":0,"x":1,"a":2,"A":3,"__proto__":4}'),
      '',
      new Set(['a', 'b']),
    );
    expect([...members].map(([name, { value, source }]) => [name, value, source()])).toEqual([
      ['b', 0, '0'],
      ['a', 2, '2'],
    ]);
  });
});

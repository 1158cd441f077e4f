import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter } from '../../src/dump/line-splitter.ts';

function linesOf(pieces: readonly Buffer[], lineBytesMax = 1_000): string[] {
  const splitter = new LineSplitter(lineBytesMax);
  const lines = pieces.flatMap((piece) => [...splitter.split(piece)].map(String));
  return [...lines, String(splitter.rest())];
}

test('lines are the same in whatever pieces they come', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', '\n', 'é'), maxLength: 20 })), (texts) => {
      const pieces = texts.map((text) => Buffer.from(text));
      expect(linesOf(pieces)).toEqual(texts.join('').split('\n'));
    }),
  );
});

test('a character whose bytes come in two pieces is one', () => {
  expect(linesOf([Buffer.from([0xc3]), Buffer.from([0xa9, 0x0a])])).toEqual(['é', '']);
});

test.each([['abcdef\n'], ['ab', 'cdef\n'], ['ab', 'cd', 'ef']])(
  'a line that is too long is told before it ends: %j %j %j',
  (...pieces) => {
    const buffers = pieces.map((piece) => Buffer.from(piece));
    expect(() => linesOf(buffers, 5)).toThrow('is longer than 5 bytes');
    expect(linesOf(buffers, 6)[0]).toBe('abcdef');
  },
);

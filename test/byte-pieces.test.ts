import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { BytePieces } from '../src/byte-pieces.ts';

test('pieces are joined in order, whatever their lengths', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 3 }), { minLength: 1, maxLength: 2000 }), (all) => {
      const pieces = new BytePieces();
      for (const piece of all) pieces.add(Buffer.from(piece));
      const whole = Buffer.concat(all);
      expect(pieces.length).toBe(whole.length);
      expect(pieces.take()).toEqual(whole);
      expect([pieces.length, pieces.take()]).toEqual([0, Buffer.alloc(0)]);
    }),
  );
});

test('a single piece is not copied', () => {
  const pieces = new BytePieces();
  const piece = Buffer.from('whole');
  pieces.add(piece);
  expect(pieces.take()).toBe(piece);
});

test('very many small pieces are few in memory, and each byte is copied twice at most', () => {
  const concat = vi.spyOn(Buffer, 'concat');
  const pieces = new BytePieces();
  for (let i = 0; i < 100_000; i++) pieces.add(Buffer.from('x'));
  expect(pieces.take()).toHaveLength(100_000);
  const last = concat.mock.calls.at(-1)?.[0] ?? [];
  expect(last.length).toBeLessThan(1000);
  const copied = concat.mock.calls.flatMap(([list]) => list).reduce((sum, { length }) => sum + length, 0);
  expect(copied).toBeLessThanOrEqual(200_000);
  concat.mockRestore();
});

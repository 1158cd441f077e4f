import { expect, test } from 'vitest';
import { SortedNames } from '../../src/storage/sorted-names.ts';
import { randomNumbers } from '../support/random.ts';

test('names stay in order, however many come and go', () => {
  const random = randomNumbers(7);
  const names = new SortedNames();
  const there = new Set<string>();
  for (let i = 0; i < 20_000; i++) {
    // Fewer in the second half, until whole blocks have gone.
    const name = `c${random(6000)}`;
    if (!there.has(name) && (i < 10_000 || random(4) === 0)) {
      names.add(name);
      there.add(name);
    } else if (there.delete(name)) {
      names.delete(name);
    }
    if (i % 1000 !== 0) continue;
    const sorted = [...there].sort();
    expect(names.behind('', 0, sorted.length + 1)).toEqual(sorted);
    for (const previous of ['', 'c', 'c1', 'c4', 'd', sorted[0] ?? '', sorted.at(-1) ?? '']) {
      const skip = random(sorted.length + 1);
      const expected = sorted.filter((each) => each > previous).slice(skip, skip + 30);
      expect(names.behind(previous, skip, 30)).toEqual(expected);
    }
  }
});

test('a name among a million others is entered without moving half of them', () => {
  const names = new SortedNames();
  for (let i = 0; i < 1_000_000; i++) names.add(String(1_000_000 + i));
  const random = randomNumbers(7);
  const rounds = Array.from({ length: 5 }, (_, round) => {
    const start = performance.now();
    for (let i = 0; i < 200; i++) names.add(`${1_000_000 + random(1_000_000)} ${round} ${i}`);
    return performance.now() - start;
  });
  // One list of all took 600 ms and more.
  expect(Math.min(...rounds)).toBeLessThan(20);
});

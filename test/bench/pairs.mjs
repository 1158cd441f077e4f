/**
 * Measures servers in turn, each once a round, so that whatever else the machine does meets all. Each round has an order
 * of its own: what the machine does at intervals would otherwise meet the same one for a minute.
 * @template M
 * @param {number} rounds
 * @param {Record<string, () => Promise<M>>} contestants
 * @returns {Promise<Record<string, M[]>>}
 */
export async function inTurn(rounds, contestants) {
  /** @type {Record<string, M[]>} */
  const runs = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, measure] of shuffled(Object.entries(contestants))) {
      const measurement = await measure();
      runs[name]?.push(measurement);
    }
  }
  return runs;
}

/** @template T @param {T[]} items */
function shuffled(items) {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

/** @param {number[]} numbers */
export function mean(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

/** @param {number[]} numbers */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** How far runs of the same thing lie apart, of their median: the noise. @param {number[]} numbers */
export function spread(numbers) {
  return (Math.max(...numbers) - Math.min(...numbers)) / median(numbers);
}

/** The same of the middle half of them: the odd one may have met something else. @param {number[]} numbers */
export function middleSpread(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const left = Math.floor(sorted.length / 4);
  return spread(sorted.slice(left, sorted.length - left));
}

/**
 * The median over the pairs of ours / peer.
 * @template M
 * @param {M[] | undefined} ours @param {M[] | undefined} peer @param {(measurement: M) => number} figure
 */
export function ratio(ours = [], peer = [], figure) {
  return median(ours.flatMap((run, i) => (peer[i] ? [figure(run) / figure(peer[i])] : [])));
}

/**
 * Where a block of names is divided. To enter a name moves those behind it in its block: in one list of a million, that
 * would hold up everyone for milliseconds.
 */
const BLOCK_NAMES_MAX = 1024;

/** Different names in the order of their code units. */
export class SortedNames {
  /** Each has names, all of them behind those of the block before. */
  readonly #blocks: string[][] = [];

  add(name: string): void {
    const at = Math.max(0, this.#blockOf(name));
    const block = this.#blocks[at];
    if (block) block.splice(placeOf(block, name), 0, name);
    else this.#blocks.push([name]);
    if (block && block.length > BLOCK_NAMES_MAX) {
      this.#blocks.splice(at + 1, 0, block.splice(BLOCK_NAMES_MAX / 2));
    }
  }

  /** For a name that is there. */
  delete(name: string): void {
    const at = this.#blockOf(name);
    const block = this.#blocks[at] as string[];
    block.splice(placeOf(block, name), 1);
    if (block.length === 0) this.#blocks.splice(at, 1);
  }

  /** Up to `limit` names behind one, whether that is there or not, and behind the `skip` that come first. */
  behind(name: string, skip: number, limit: number): string[] {
    const names: string[] = [];
    let left = skip;
    for (let at = Math.max(0, this.#blockOf(name)); at < this.#blocks.length; at++) {
      const block = this.#blocks[at] as string[];
      const place = placeOf(block, name);
      const first = left + place + (block[place] === name ? 1 : 0);
      names.push(...block.slice(first, first + limit - names.length));
      if (names.length >= limit) break;
      left = Math.max(0, first - block.length);
    }
    return names;
  }

  // The last block that begins at or before a name; -1: all begin behind it.
  #blockOf(name: string): number {
    let from = 0;
    let to = this.#blocks.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#blocks[middle]?.[0] as string) <= name) from = middle + 1;
      else to = middle;
    }
    return from - 1;
  }
}

/** Where a name stands in sorted names, or would stand. */
function placeOf(names: readonly string[], name: string): number {
  let from = 0;
  let to = names.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((names[middle] as string) < name) from = middle + 1;
    else to = middle;
  }
  return from;
}

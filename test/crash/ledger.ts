/** What a client was told of an item, or expects of it. Times are in ms since the epoch. */
export interface ItemState {
  readonly value: string;
  readonly flags: number;
  /** Undefined: nobody was told. */
  readonly cas: string | undefined;
  readonly expiresAt: number;
  readonly stale: boolean;
}

/** What is found after a restart; `ttl` in seconds, -1 is for ever. */
export interface FoundItem extends Omit<ItemState, 'expiresAt' | 'cas'> {
  readonly cas: string;
  readonly ttl: number;
}

/** What an operation does when it is carried out: items by key (undefined: none), or nothing is left at all. */
export type Effect = 'clear' | ReadonlyMap<string, ItemState | undefined>;

interface Entry {
  readonly what: string;
  readonly effect: Effect;
  readonly ackedAt: number;
}

// Expiry is told in whole seconds, and looking takes a moment.
const EXPIRY_TOLERANCE_MS = 2_500;

/**
 * What one client did to a cache that only it writes to, in order, and what it was told. After a crash the cache
 * must be as it was after some operation, and which ones that may be is what durability promises.
 */
export class Ledger {
  readonly keys: readonly string[];
  state: Map<string, ItemState> = new Map();
  #base: ReadonlyMap<string, ItemState> = new Map();
  #entries: Entry[] = [];
  #pending: Omit<Entry, 'ackedAt'> | undefined;
  /** Did somebody see what was not acknowledged yet? Then it must be there. */
  #pendingSeen = false;

  constructor(keys: readonly string[]) {
    this.keys = keys;
  }

  get acknowledged(): number {
    return this.#entries.length;
  }

  begin(what: string, effect: Effect): void {
    this.#pending = { what, effect };
    this.#pendingSeen = false;
  }

  /** The operation was acknowledged; with its effect as it was then told, if more is known. */
  acknowledge(told?: Effect): void {
    if (!this.#pending) throw new Error('nothing was begun');
    const { what, effect } = this.#pending;
    const entry = { what, effect: told ?? effect, ackedAt: Date.now() };
    this.#entries.push(entry);
    this.#pending = undefined;
    apply(entry.effect, this.state);
  }

  /** Somebody else read this version of an item. */
  seen(key: string, cas: string): void {
    if (!this.#pending || !after(this.#pending.effect, key)) return;
    const known = [this.#base.get(key), ...this.#entries.map(({ effect }) => after(effect, key))];
    // An item that was marked stale has a version that its writer was not told: it may be that one.
    const isKnown = known.some((state) => state && (state.cas === undefined || state.cas === cas));
    if (!isKnown) this.#pendingSeen = true;
  }

  /**
   * Compares with what was found after a crash, and takes it over. `keptBefore`: what was acknowledged before
   * that time must be there. Throws where no moment fits.
   */
  settle(
    found: ReadonlyMap<string, FoundItem>,
    { keptBefore, now }: { keptBefore: number; now: number },
  ): void {
    const states = [...this.#states()];
    const least = Math.max(
      this.#entries.filter(({ ackedAt }) => ackedAt < keptBefore).length,
      this.#pendingSeen ? states.length - 1 : 0,
    );
    const mistakes = states.map((state) => this.#mistakes(state, found, now));
    const fitting = mistakes.findLastIndex((list) => list.length === 0);
    if (fitting < least) {
      throw new Error(
        fitting < 0
          ? `no moment fits; compared with the last acknowledged one: ${mistakes[this.#entries.length]?.join('; ')}`
          : `${this.#entries.length - fitting} acknowledged operations are lost, ${least - fitting} too many: ${this.#entries[fitting]?.what}`,
      );
    }
    this.state = new Map(
      [...(states[fitting] as Map<string, ItemState>)].flatMap(([key, state]) => {
        const item = found.get(key);
        return item ? [[key, { ...state, cas: item.cas }] as const] : [];
      }),
    );
    this.#base = new Map(this.state);
    this.#entries = [];
    this.#pending = undefined;
  }

  // After each operation, from none to the one that was not acknowledged.
  *#states(): Generator<Map<string, ItemState>> {
    const state = new Map(this.#base);
    yield new Map(state);
    for (const { effect } of [...this.#entries, ...(this.#pending ? [this.#pending] : [])]) {
      apply(effect, state);
      yield new Map(state);
    }
  }

  #mistakes(state: Map<string, ItemState>, found: ReadonlyMap<string, FoundItem>, now: number): string[] {
    return this.keys.flatMap((key) => mistake(key, state.get(key), found.get(key), now) ?? []);
  }
}

function apply(effect: Effect, state: Map<string, ItemState>): void {
  if (effect === 'clear') {
    state.clear();
    return;
  }
  for (const [key, item] of effect) {
    if (item) state.set(key, item);
    else state.delete(key);
  }
}

function after(effect: Effect, key: string): ItemState | undefined {
  return effect === 'clear' ? undefined : effect.get(key);
}

function mistake(
  key: string,
  expected: ItemState | undefined,
  found: FoundItem | undefined,
  now: number,
): string | undefined {
  if (!expected) return found ? `${key} is there` : undefined;
  if (!found) return expected.expiresAt < now + EXPIRY_TOLERANCE_MS ? undefined : `${key} is missing`;
  const expiresAt = found.ttl < 0 ? Number.POSITIVE_INFINITY : now + found.ttl * 1000;
  if (expiresAt !== expected.expiresAt && !(Math.abs(expiresAt - expected.expiresAt) < EXPIRY_TOLERANCE_MS)) {
    return `${key} expires at ${expiresAt} and not at ${expected.expiresAt}`;
  }
  if (found.value !== expected.value || found.flags !== expected.flags || found.stale !== expected.stale) {
    return `${key} is ${shown(found)} and not ${shown(expected)}`;
  }
  if (expected.cas !== undefined && found.cas !== expected.cas) {
    return `${key} has the cas ${found.cas} and not ${expected.cas}`;
  }
  return undefined;
}

function shown({ value, flags, stale }: Pick<ItemState, 'value' | 'flags' | 'stale'>): string {
  return JSON.stringify({ value: value.slice(0, 40), length: value.length, flags, stale });
}

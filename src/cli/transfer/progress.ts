import { performance } from 'node:perf_hooks';

const LINE_MS = 1_000;

export interface Terminal {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** How far a transfer has come: a line each second at a terminal, and one at the end everywhere. */
export class Progress {
  items = 0;
  bytes = 0;
  readonly #verb: string;
  readonly #terminal: Terminal;
  readonly #start = performance.now();
  readonly #timer: NodeJS.Timeout | undefined;
  #isWaiting = false;
  readonly #reasons = new Set<string>();

  /** `verb`: what was done to the items, such as "dumped". */
  constructor(verb: string, terminal: Terminal) {
    this.#verb = verb;
    this.#terminal = terminal;
    if (!terminal.isTTY) return;
    this.#timer = setInterval(() => terminal.write(`${ERASE_LINE}${this.#line()}`), LINE_MS).unref();
  }

  count(bytes: number): void {
    this.items++;
    this.bytes += bytes;
  }

  /** Says that it is waiting: why, once, and in the line of a terminal as long as it waits. */
  wait(reason: string): void {
    this.#isWaiting = true;
    if (this.#reasons.has(reason)) return;
    this.#reasons.add(reason);
    const start = this.#timer ? ERASE_LINE : '';
    this.#terminal.write(`${start}ironcached: waiting, as the service asks: ${reason}\n`);
  }

  goOn(): void {
    this.#isWaiting = false;
  }

  /** Takes away the line of a terminal, for others to be written. */
  pause(): void {
    clearInterval(this.#timer);
    if (this.#timer) this.#terminal.write(ERASE_LINE);
  }

  /** Writes the last line, with more about it. */
  finish(more: string): void {
    this.pause();
    this.#terminal.write(`${this.#line()}${more}\n`);
  }

  #line(): string {
    const seconds = (performance.now() - this.#start) / 1000;
    const rate = grouped(Math.round(this.items / Math.max(seconds, 0.001)));
    const megabytes = (this.bytes / 1_000_000).toFixed(1);
    return `${this.#verb} ${grouped(this.items)} items, ${megabytes} MB in ${seconds.toFixed(1)} s, ${rate} items/s${this.#isWaiting ? '; waiting' : ''}`;
  }
}

const ERASE_LINE = '\r\x1b[K';

/** A number as people read it: 1,234,567. */
export function grouped(number: number): string {
  return number.toLocaleString('en');
}

import type { CommitGate } from '../../src/engine/commit-gate.ts';

/** A gate that a test opens and closes. */
export class TestGate implements CommitGate {
  isOpen = false;
  readonly #waiting: ((isKept: boolean) => void)[] = [];
  #news: () => void = () => {};

  /** How many answers wait. */
  get count(): number {
    return this.#waiting.length;
  }

  wait(told: (isKept: boolean) => void): void {
    this.#waiting.push(told);
    this.#news();
  }

  /** Resolves when so many answers wait. */
  async holds(count: number): Promise<void> {
    while (this.#waiting.length < count) {
      await new Promise<void>((resolve) => {
        this.#news = resolve;
      });
    }
  }

  /** Tells all that wait. */
  release(isKept: boolean): void {
    for (const told of this.#waiting.splice(0)) told(isKept);
  }
}

/** How many clients' replies wait for each other at most. */
const TOGETHER_MAX = 16;

/**
 * Sends the replies to several clients one right after the other, at the end of a turn of the event loop. A
 * write that has to wake whoever reads costs several times one that finds it awake, and of many writes in a
 * row only the first has to.
 */
export class TurnEnd {
  #sends: (() => void)[] = [];
  #isDue = false;
  readonly #endTurn = () => {
    this.#isDue = false;
    this.#sendAll();
  };

  /** Has `send` called before others have their turn. It must not throw. */
  add(send: () => void): void {
    this.#sends.push(send);
    if (this.#sends.length >= TOGETHER_MAX) {
      this.#sendAll();
    } else if (!this.#isDue) {
      this.#isDue = true;
      setImmediate(this.#endTurn);
    }
  }

  #sendAll(): void {
    const sends = this.#sends;
    this.#sends = [];
    for (let i = 0; i < sends.length; i++) (sends[i] as () => void)();
  }
}

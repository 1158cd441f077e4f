import { atTurnEnd } from '../event-loop/turn-end.ts';

/**
 * How many clients that ask in one turn of the event loop are a crowd. Where 2 connections ask for one small item after
 * the other, answering each at once makes 1.15 times the requests, with 5 of them 1.7 times; with 50, answering
 * together makes 1.1 times the requests. If this were 15, it would hardly matter; if it were 20, 16 clients would come
 * to 0.95 of the requests.
 */
export const CROWD_MIN = 9;

/** Where there are few clients, so many requests go uncounted after a turn that was counted. */
export const UNCOUNTED_REQUESTS = 16;

/**
 * Tells whether many clients ask at a time. Few are best answered one by one, since each can go on while others are
 * answered; many are best answered together. Since nobody knows before the end of a turn how many will ask in it, an
 * earlier turn tells. A crowd is counted in every turn, whose end is waited for anyway; with few clients, that would be
 * a twentieth of the work.
 */
export class Crowd {
  /** Were there many in the last turn that was counted? */
  isThere = false;
  #asking = 0;
  #uncounted = 0;
  readonly #endTurn = () => {
    this.isThere = this.#asking >= CROWD_MIN;
    this.#asking = 0;
    if (!this.isThere) this.#uncounted = UNCOUNTED_REQUESTS;
  };

  /** A client asks for something. */
  grow(): void {
    if (this.#uncounted > 0) {
      this.#uncounted--;
      return;
    }
    if (this.#asking === 0) atTurnEnd(this.#endTurn);
    this.#asking++;
  }
}

import { atTurnEnd } from '../turn-end.ts';

/**
 * So many clients that ask in one turn of the event loop are a crowd. With 2 connections that ask for one small item
 * after the other, answering each at once makes 1.15 times the requests, with 5 of them 1.7 times; from about 8 on it
 * makes no difference; with 50, answering together makes 1.1 times the requests.
 */
export const CROWD_MIN = 6;

/**
 * Tells whether many clients ask at a time. Few are best answered one by one, since each can go on while others are
 * answered; many are best answered together. How many will ask in a turn nobody knows before its end: so the turn
 * before tells.
 */
export class Crowd {
  /** Were there many in the last turn in which anybody asked? */
  isThere = false;
  #asking = 0;
  readonly #endTurn = () => {
    this.isThere = this.#asking >= CROWD_MIN;
    this.#asking = 0;
  };

  /** A client asks for something. */
  grow(): void {
    if (this.#asking === 0) atTurnEnd(this.#endTurn);
    this.#asking++;
  }
}

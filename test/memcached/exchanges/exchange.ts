import type { Bytes } from '../../support/memcached-client.ts';

/** Something to send to memcached and to ironcached alike. */
export interface Exchange {
  readonly name: string;
  /**
   * What is sent, in turns: each waits for the answer to the one before. `<cas>` in a later one stands
   * for the last cas number that was answered before; `<cas-1>` and `<cas+1>` for its neighbours.
   */
  readonly steps: readonly Bytes[];
  /** Not to be mixed with others on one connection. */
  readonly alone: boolean;
  /** Does it end the connection? */
  readonly closes: boolean;
}

/**
 * An exchange, as the lines of each step. In them `@` becomes a key of four bytes that no other
 * exchange has, and `[[…]]` the base64 form of what it encloses.
 */
export type Draft = (index: number) => Exchange;

export function exchange(name: string, ...steps: readonly (readonly Bytes[])[]): Draft {
  return raw(name, ...steps.map((lines) => `${lines.join('\r\n')}\r\n`));
}

/** An exchange whose bytes are sent just as written. */
export function raw(name: string, ...steps: readonly Bytes[]): Draft {
  return (index) => {
    const key = `k${String(index).padStart(3, '0')}`;
    const filled = steps.map((step) => base64(step.replaceAll('@', key)));
    return { name, steps: filled, alone: false, closes: false };
  };
}

export function alone(draft: Draft): Draft {
  return (index) => ({ ...draft(index), alone: true });
}

/** An exchange in which the server closes the connection. */
export function closing(draft: Draft): Draft {
  return (index) => ({ ...draft(index), alone: true, closes: true });
}

export function numbered(drafts: readonly Draft[]): Exchange[] {
  return drafts.map((draft, index) => draft(index));
}

function base64(step: Bytes): Bytes {
  return step.replace(/\[\[(.+?)\]\]/gs, (_all, text: string) =>
    Buffer.from(text, 'latin1').toString('base64'),
  );
}

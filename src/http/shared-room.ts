import type { ServerResponse } from 'node:http';
import { ValueRoom } from './value-room.ts';

/** Larger values get memory of their own. */
export const SHARED_BYTES_MAX = 16 * 1024;

/** More than answers wait for each other before they leave. */
const ROOMS = 17;

/** Memory for one value after the other, so that none has to be allocated for most. */
export class SharedRoom {
  readonly #room = new ValueRoom(SHARED_BYTES_MAX);
  readonly #answers: { room: ValueRoom; response: ServerResponse }[] = [];
  #next = 0;

  /** Room for a value, which holds until there is asked for room again. */
  forValue(bytes: number): ValueRoom {
    return bytes <= SHARED_BYTES_MAX ? this.#room : new ValueRoom(bytes);
  }

  /** Room for a value that is sent from there: it holds until the response is finished. */
  forAnswer(bytes: number, response: ServerResponse): ValueRoom {
    if (bytes > SHARED_BYTES_MAX) return new ValueRoom(bytes);
    this.#next = (this.#next + 1) % ROOMS;
    const before = this.#answers[this.#next];
    const room = before?.response.writableFinished ? before.room : new ValueRoom(SHARED_BYTES_MAX);
    this.#answers[this.#next] = { room, response };
    return room;
  }
}

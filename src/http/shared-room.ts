import { ValueRoom } from './value-room.ts';

/** Larger values get memory of their own. */
export const SHARED_BYTES_MAX = 16 * 1024;

/** Memory for one value after the other, so that none has to be allocated for most. */
export class SharedRoom {
  readonly #room = new ValueRoom(SHARED_BYTES_MAX);

  /** Room for a value, which holds until there is asked for room again. */
  forValue(bytes: number): ValueRoom {
    return bytes <= SHARED_BYTES_MAX ? this.#room : new ValueRoom(bytes);
  }
}

import type { ServerResponse } from 'node:http';
import { ValueRoom } from './value-room.ts';

interface RoomSize {
  readonly valueBytesMax: number;
  /** For how many answers at once it is kept. */
  readonly answers: number;
}

const SMALLEST_BYTES = 32 * 1024;

/**
 * Each is at most twice as large as its value needs, or the smallest. All together take six megabytes. Of the smallest
 * there are more than the answers that leave together.
 */
const SIZES: readonly RoomSize[] = [
  { valueBytesMax: SMALLEST_BYTES, answers: 17 },
  { valueBytesMax: 64 * 1024, answers: 8 },
  { valueBytesMax: 128 * 1024, answers: 8 },
  { valueBytesMax: 256 * 1024, answers: 4 },
  { valueBytesMax: 512 * 1024, answers: 2 },
  { valueBytesMax: 1024 * 1024, answers: 2 },
];

/**
 * Memory for one value after the other, so that most need no allocation: V8 gives memory outside its heap back late,
 * and collects everything the more often for it. The largest values get memory of their own.
 */
export class SharedRoom {
  readonly #rooms = SIZES.map((size) => new Rooms(size));
  #valueRoom = new ValueRoom(SMALLEST_BYTES);

  /** Room for a value, valid until room is asked for again. */
  forValue(bytes: number): ValueRoom {
    if (bytes <= this.#valueRoom.valueBytesMax) return this.#valueRoom;
    const rooms = this.#roomsFor(bytes);
    if (!rooms) return new ValueRoom(bytes);
    this.#valueRoom = new ValueRoom(rooms.valueBytesMax);
    return this.#valueRoom;
  }

  /** Room for a value that is sent from there, valid until the response is finished. */
  forAnswer(bytes: number, response: ServerResponse): ValueRoom {
    return this.#roomsFor(bytes)?.forAnswer(response) ?? new ValueRoom(bytes);
  }

  #roomsFor(bytes: number): Rooms | undefined {
    return this.#rooms.find(({ valueBytesMax }) => bytes <= valueBytesMax);
  }
}

/** Rooms of one size for answers, each made when it is needed for the first time. */
class Rooms {
  readonly valueBytesMax: number;
  readonly #answersMax: number;
  /** Not the responses: with one, Node keeps all that wait behind it, even if their connection is closed. */
  readonly #answers: { readonly room: ValueRoom; isSent: boolean }[] = [];
  #next = 0;

  constructor({ valueBytesMax, answers }: RoomSize) {
    this.valueBytesMax = valueBytesMax;
    this.#answersMax = answers;
  }

  forAnswer(response: ServerResponse): ValueRoom {
    this.#next = (this.#next + 1) % this.#answersMax;
    const before = this.#answers[this.#next];
    const room = before?.isSent ? before.room : new ValueRoom(this.valueBytesMax);
    const answer = { room, isSent: false };
    this.#answers[this.#next] = answer;
    response.once('finish', () => {
      answer.isSent = true;
    });
    return room;
  }
}

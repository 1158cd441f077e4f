import type { ServerResponse } from 'node:http';
import { ValueBuffer } from './value-buffer.ts';

interface BufferSize {
  readonly valueBytesMax: number;
  /** For how many answers at once it is kept. */
  readonly answers: number;
}

const SMALLEST_BYTES = 32 * 1024;

/**
 * Each is at most twice as large as its value needs, or the smallest. All together take six megabytes. Of the smallest
 * there are more than the answers that leave together.
 */
const SIZES: readonly BufferSize[] = [
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
export class ValueBufferPool {
  readonly #buffers = SIZES.map((size) => new BuffersOfSize(size));
  #valueBuffer = new ValueBuffer(SMALLEST_BYTES);

  /** A buffer for a value, valid until one is asked for again. */
  forValue(bytes: number): ValueBuffer {
    if (bytes <= this.#valueBuffer.valueBytesMax) return this.#valueBuffer;
    const buffers = this.#buffersFor(bytes);
    if (!buffers) return new ValueBuffer(bytes);
    this.#valueBuffer = new ValueBuffer(buffers.valueBytesMax);
    return this.#valueBuffer;
  }

  /** A buffer for a value that is sent from there, valid until the response is finished. */
  forAnswer(bytes: number, response: ServerResponse): ValueBuffer {
    return this.#buffersFor(bytes)?.forAnswer(response) ?? new ValueBuffer(bytes);
  }

  #buffersFor(bytes: number): BuffersOfSize | undefined {
    return this.#buffers.find(({ valueBytesMax }) => bytes <= valueBytesMax);
  }
}

/** Buffers of one size for answers, each made when it is needed for the first time. */
class BuffersOfSize {
  readonly valueBytesMax: number;
  readonly #answersMax: number;
  /** Not the responses: with one, Node keeps all that wait behind it, even if their connection is closed. */
  readonly #answers: { readonly buffer: ValueBuffer; isSent: boolean }[] = [];
  #next = 0;

  constructor({ valueBytesMax, answers }: BufferSize) {
    this.valueBytesMax = valueBytesMax;
    this.#answersMax = answers;
  }

  forAnswer(response: ServerResponse): ValueBuffer {
    this.#next = (this.#next + 1) % this.#answersMax;
    const before = this.#answers[this.#next];
    const buffer = before?.isSent ? before.buffer : new ValueBuffer(this.valueBytesMax);
    const answer = { buffer, isSent: false };
    this.#answers[this.#next] = answer;
    response.once('finish', () => {
      answer.isSent = true;
    });
    return buffer;
  }
}

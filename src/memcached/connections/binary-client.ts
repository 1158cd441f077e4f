import type { Socket } from 'node:net';
import { destroyAfter } from '../../sockets/linger.ts';

/** The first byte of every request of the binary protocol. */
export const BINARY_MAGIC = 0x80;

// The header of requests and answers is as long, and has these in the same places.
const HEADER_BYTES = 24;
const OPCODE = 1;
const STATUS = 6;
const BODY_LENGTH = 8;
const OPAQUE = 12;
const OPAQUE_BYTES = 4;

const ANSWER_MAGIC = 0x81;
/** Unknown command, which clients take as final; after an authentication error, memjs would try again. */
const UNKNOWN_COMMAND = 0x81;

const TEXT = 'This server speaks the text (ASCII) protocol only.';

interface BinaryClientParts {
  readonly socket: Socket;
  readonly counted: { written: number };
  /** After how many milliseconds it is closed; 0 is never. */
  readonly timeoutMs: number;
  /** Called when everything is written after our side was ended. */
  readonly ended: () => void;
}

/**
 * A client of the binary protocol: each of its requests is refused, by an error in its own terms. Closed after the first
 * answer, some wait for ever for the next one (memjs), and others speak of a server that is down (Dalli).
 */
export class BinaryClient {
  readonly #parts: BinaryClientParts;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  /** What is still to come of a request's body, which says nothing. */
  #bodyBytes = 0;
  /** Has it sent something that is no binary request? */
  #isOver = false;

  constructor(parts: BinaryClientParts) {
    this.#parts = parts;
    if (parts.timeoutMs > 0) destroyAfter(parts.socket, parts.timeoutMs);
  }

  /** Takes what it sent: see Session.receive. */
  receive(chunk: Buffer): void {
    const { socket, counted, ended } = this.#parts;
    if (socket.writableEnded) return;
    // A client that goes on asking but reads nothing is not waited for.
    if (socket.writableNeedDrain) {
      socket.destroy();
      return;
    }
    const answers = this.#answersTo(chunk);
    counted.written += answers.length;
    socket.write(answers);
    if (this.#isOver) socket.end(ended);
  }

  // The answers to those requests whose headers have come whole.
  #answersTo(chunk: Buffer): Buffer {
    const answers: Buffer[] = [];
    let at = this.#passBody(chunk, 0);
    while (at < chunk.length) {
      this.#isOver = this.#headerBytes === 0 && chunk[at] !== BINARY_MAGIC;
      if (this.#isOver) break;
      const taken = chunk.copy(this.#header, this.#headerBytes, at);
      this.#headerBytes += taken;
      at += taken;
      if (this.#headerBytes < HEADER_BYTES) break;
      answers.push(refusalOf(this.#header));
      this.#headerBytes = 0;
      this.#bodyBytes = this.#header.readUInt32BE(BODY_LENGTH);
      at = this.#passBody(chunk, at);
    }
    return Buffer.concat(answers);
  }

  #passBody(chunk: Buffer, start: number): number {
    const passed = Math.min(this.#bodyBytes, chunk.length - start);
    this.#bodyBytes -= passed;
    return start + passed;
  }
}

function refusalOf(header: Buffer): Buffer {
  const answer = Buffer.alloc(HEADER_BYTES + TEXT.length);
  answer[0] = ANSWER_MAGIC;
  answer[OPCODE] = header[OPCODE] ?? 0;
  answer.writeUInt16BE(UNKNOWN_COMMAND, STATUS);
  answer.writeUInt32BE(TEXT.length, BODY_LENGTH);
  header.copy(answer, OPAQUE, OPAQUE, OPAQUE + OPAQUE_BYTES);
  answer.write(TEXT, HEADER_BYTES, 'latin1');
  return answer;
}

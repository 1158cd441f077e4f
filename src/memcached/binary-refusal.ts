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

/**
 * An error in terms of the binary protocol, since some clients wait for ever when they are just closed. `request` is
 * what has come of the first one, perhaps not all.
 */
export function binaryRefusal(request: Buffer): Buffer {
  const answer = Buffer.alloc(HEADER_BYTES + TEXT.length);
  answer[0] = ANSWER_MAGIC;
  answer[OPCODE] = request[OPCODE] ?? 0;
  answer.writeUInt16BE(UNKNOWN_COMMAND, STATUS);
  answer.writeUInt32BE(TEXT.length, BODY_LENGTH);
  request.subarray(OPAQUE, OPAQUE + OPAQUE_BYTES).copy(answer, OPAQUE);
  answer.write(TEXT, HEADER_BYTES, 'latin1');
  return answer;
}

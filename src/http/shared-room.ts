import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { FastifyReply } from 'fastify';
import { sendJson } from './json-answer.ts';
import { ValueRoom } from './value-room.ts';

/** Answers with larger values get memory of their own. */
const VALUE_BYTES_MAX = 16 * 1024;

/**
 * Memory for one answer after the other: none has to be allocated as long as each has left the process
 * before the next is made, which is the rule.
 */
export class SharedRoom {
  #room = new ValueRoom(VALUE_BYTES_MAX);

  /** Where the next answer is made, to be sent before another is. */
  forValue(bytes: number): ValueRoom {
    return bytes <= this.#room.valueBytesMax ? this.#room : new ValueRoom(bytes);
  }

  /** Answers with JSON that was made in a room. */
  send(reply: FastifyReply, json: Buffer): void {
    const { raw } = reply;
    const isShared = json.buffer === this.#room.bytes.buffer;
    const mayWait = isShared && !takesAtOnce(raw.socket);
    sendJson(reply, mayWait ? Buffer.from(json) : json);
    const isSent = raw.writableEnded && raw.socket?.writableLength === 0;
    if (isShared && !mayWait && !isSent) this.#room = new ValueRoom(VALUE_BYTES_MAX);
  }
}

// A response without a socket waits for those before it; TLS hands its bytes on later.
function takesAtOnce(socket: Socket | null): boolean {
  return socket?.writableLength === 0 && !(socket instanceof TLSSocket);
}

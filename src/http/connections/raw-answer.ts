import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { linger } from '../../sockets/linger.ts';
import { messageJson } from '../json-answer.ts';
import { leaveNow } from './joined-response.ts';
import { JSON_TYPE } from './last-response.ts';
import { LINGER_MS } from './lingering-close.ts';

/** A whole HTTP answer, where there is no response object to write it. */
export function rawAnswer(
  status: number,
  msg: string,
  headers: Readonly<Record<string, string>> = {},
): string {
  const body = messageJson(msg);
  const lines = Object.entries({
    'content-type': JSON_TYPE,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n`;
  return `${head}${body}`;
}

/**
 * Sends a last answer and ends the connection; not at once, or a client that is still sending would lose the answer.
 */
export function endWithAnswer(socket: Socket, answer: string): void {
  leaveNow();
  socket.end(answer);
  linger(socket, LINGER_MS);
}

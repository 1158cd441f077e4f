import type { Socket } from 'node:net';
import { hasLastAnswer, responseOf } from './current-response.ts';
import { sendingAhead } from './lingering-close.ts';
import { isMidRequest } from './node-parser.ts';
import { endWithAnswer, rawAnswer } from './raw-answer.ts';

const TIMEOUT = 'ERR_HTTP_REQUEST_TIMEOUT';
/** Something came behind a request that asks for its connection to be closed. */
const BEHIND_LAST = 'HPE_CLOSED_CONNECTION';

const answers = new Map<string | undefined, [status: number, msg: string]>([
  [TIMEOUT, [408, 'The request took too long to arrive. Send it again.']],
  ['HPE_HEADER_OVERFLOW', [431, 'The URL and headers are too long together. Send fewer or shorter ones.']],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', [413, 'The chunk extensions are too long. Leave them out.']],
]);

const answered = new WeakSet<Socket>();

/** Connections whose request may take any time to arrive, as long as it goes on arriving. */
export const unhurried = new WeakSet<Socket>();

/** Connections whose request did not arrive in time, as its client was told. */
export const overdue = new WeakSet<Socket>();

/**
 * Answers what Node could not read as HTTP, or not in time, and ends the connection. `tell` is told the status, unless
 * it is that of a request which has its own answer, or of a client that never said a word.
 */
export function answerBrokenRequest(
  error: Error & { code?: string },
  socket: Socket,
  tell: (status: number) => void = () => {},
): void {
  if (error.code === TIMEOUT && unhurried.has(socket)) return;
  // Node reports every further piece of the same broken request.
  if (answered.has(socket)) return;
  answered.add(socket);
  sendingAhead.add(socket);
  if (error.code === 'ECONNRESET') socket.destroy();
  const isBegun = isMidRequest(socket);
  // Behind the last request or answer anything may come, and nothing answers it.
  if (error.code === BEHIND_LAST || hasLastAnswer(socket)) return;
  if (error.code === TIMEOUT) overdue.add(socket);
  const [status, msg] = answers.get(error.code) ?? [400, 'This is not a valid HTTP request.'];
  if (!isBegun && socket.bytesRead > 0) tell(status);
  // Nothing is read any more, and where the client ends its side, Node would end ours behind the last of its responses.
  socket.removeAllListeners('end');
  onceAnswered(socket, () => {
    const hasAnswer = isBegun && !responseOf(socket);
    endWithAnswer(socket, hasAnswer ? '' : rawAnswer(status, msg));
  });
}

/**
 * Goes on once the requests before a last answer have theirs, in turn: the client takes whatever comes as the answer to
 * its first unanswered request.
 */
export function onceAnswered(socket: Socket, then: () => void): void {
  const response = responseOf(socket);
  // A request that is not whole is the broken one itself, whose answer may have begun.
  if (response?.req.complete || response?.headersSent)
    response.once('finish', () => onceAnswered(socket, then));
  else if (socket.writable) then();
}

import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { addAbortSignal, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '../thrown.ts';
import { ControlError } from './control.ts';

/** How long a service may take to accept a connection, and to go on with an answer, in milliseconds. */
const CONNECT_MS = 10_000;
const SILENCE_MS = 300_000;

/** How long a body waits for `100 Continue`, in milliseconds: a proxy may not pass that on. */
const EXPECTATION_MS = 1_000;

/** How long to wait where a service does not say, and at most. */
const USUAL_WAIT_SECONDS = 1;
const WAIT_SECONDS_MAX = 3_600;

/** Lets time pass until a service is asked again, which has said why not now. */
export type Wait = (reason: string, ms: number) => Promise<void>;

interface RestRequest {
  readonly method: string;
  /** As it is sent; see pathName. */
  readonly path: string;
  readonly token: string;
  /** JSON, or pieces of any number, which are sent as they come. */
  readonly body?: string | AsyncIterable<Uint8Array>;
  /** Ends it, also while the answer is on its way. */
  readonly signal: AbortSignal;
}

/**
 * Asks a running service by its REST interface. Not by fetch, which leaves the names `.` and `..` out of a path
 * however they are encoded, and in Node 20 keeps the whole of a body in memory. Throws ControlError.
 */
export class RestClient {
  readonly #base: URL;
  readonly #wait: Wait | undefined;

  /** Without `wait`, what is refused for now is refused. */
  constructor(base: URL, wait?: Wait) {
    this.#base = base;
    this.#wait = wait;
  }

  /** What the service says when it has done as it was asked. */
  async json<T>(request: RestRequest): Promise<T> {
    const answer = await this.answer(request);
    if (!isOk(answer)) return this.refuse(answer);
    const said = await this.#said(answer);
    if (said) return said as T;
    throw this.#error(strange(answer));
  }

  /** The answer as it comes, whatever its status; none that asks to wait, unless some of a body was sent. */
  async answer(request: RestRequest): Promise<IncomingMessage> {
    for (;;) {
      const { answer, isBodySpent } = await send(this.#base, request).catch((error) => this.#failed(error));
      const seconds = isBodySpent ? undefined : secondsToWait(answer);
      if (!this.#wait || seconds === undefined) return answer;
      await this.#wait(await this.#reason(answer), seconds * 1_000);
    }
  }

  /** Throws what an unwanted answer says. */
  async refuse(answer: IncomingMessage): Promise<never> {
    throw this.#error(await this.#reason(answer));
  }

  async #reason(answer: IncomingMessage): Promise<string> {
    const said = await this.#said(answer);
    return said && 'msg' in said ? String(said.msg) : strange(answer);
  }

  async #said(answer: IncomingMessage): Promise<object | undefined> {
    return parse(await text(answer).catch((error) => this.#failed(error)));
  }

  #failed(error: unknown): never {
    // What the source of a body throws comes back as it was.
    if (error instanceof ControlError) throw error;
    throw new ControlError(`${this.#base.origin} cannot be reached: ${reasonOf(error)}`);
  }

  #error(said: string): ControlError {
    return new ControlError(`${this.#base.origin}: ${said}`);
  }
}

export function isOk({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}

/** A name as a part of a path. Proxies, too, take dots for a way up. */
export function pathName(name: string): string {
  return encodeURIComponent(name).replaceAll('.', '%2E');
}

/** Why a server could not be asked. What Node says of a connection that the server ended is of no help. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = codeOf(error);
  if (code === 'ECONNRESET') return 'it ended the connection';
  // OpenSSL tells only by this text that an answer was not TLS.
  if (code === 'EPROTO' && error.message.includes('wrong version number')) return 'it does not speak HTTPS';
  // Where several addresses failed there is only a code; a timeout is told by the cause.
  const reason = error.cause instanceof Error ? error.cause.message : error.message || code;
  return /certificate/i.test(reason) ? `${reason} (NODE_EXTRA_CA_CERTS names certificates to trust)` : reason;
}

interface Answered {
  readonly answer: IncomingMessage;
  /** Some of it was taken from its source, which gives nothing twice. */
  readonly isBodySpent: boolean;
}

async function send(base: URL, { method, path, token, body, signal }: RestRequest): Promise<Answered> {
  const isStreamed = typeof body === 'object';
  const request = (base.protocol === 'https:' ? httpsRequest : httpRequest)(base, {
    method,
    path,
    headers: { authorization: `OAuth ${token}`, ...(isStreamed && { expect: '100-continue' }) },
    signal,
  });
  limitConnecting(request);
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  // What goes wrong later, the answer tells.
  request.on('error', () => {});
  let isBodySpent = false;
  if (!isStreamed) {
    limitSilence(request);
    request.end(body);
  } else if (await isExpected(request, answered)) {
    isBodySpent = true;
    // The service may be silent for any time, while others use up what may be done in a second.
    await Promise.race([answered, pipeline(Readable.from(body, { objectMode: false }), request)]);
  }
  const [answer] = await answered;
  addAbortSignal(signal, answer);
  // It may come before the body is whole: then the rest is not sent.
  answer.once('end', () => {
    if (!request.writableFinished) request.destroy();
  });
  return { answer, isBodySpent };
}

/** Is a body to be sent? Otherwise it was refused before. */
async function isExpected(request: ClientRequest, answered: Promise<unknown>): Promise<boolean> {
  request.flushHeaders();
  const expected = Promise.race([
    once(request, 'continue'),
    delay(EXPECTATION_MS, undefined, { ref: false }),
  ]);
  return Promise.race([answered.then(() => false), expected.then(() => true)]);
}

/** After how many seconds to ask again; undefined: that would not help. */
function secondsToWait({ statusCode, headers }: IncomingMessage): number | undefined {
  const asked = headers['retry-after'];
  const isForNow = statusCode === 429 || (statusCode === 503 && asked !== undefined);
  if (!isForNow) return undefined;
  // A date is allowed as well.
  return Math.min(Math.max(Number(asked) || USUAL_WAIT_SECONDS, USUAL_WAIT_SECONDS), WAIT_SECONDS_MAX);
}

function limitConnecting(request: ClientRequest): void {
  request.once('socket', (socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => request.destroy(new Error('it does not answer')), CONNECT_MS);
    for (const event of ['connect', 'close']) socket.once(event, () => clearTimeout(timer));
  });
}

function limitSilence(request: ClientRequest): void {
  let answer: IncomingMessage | undefined;
  request.once('response', (message) => {
    answer = message;
  });
  request.setTimeout(SILENCE_MS, () => {
    // While there is something to read, it is not the service that is silent.
    if (answer && answer.readableLength > 0) return;
    (answer ?? request).destroy(new Error('it is silent'));
  });
}

function strange({ statusCode }: IncomingMessage): string {
  return `it answered ${statusCode}, and is perhaps no ironcached`;
}

function parse(body: string): object | undefined {
  try {
    const json: unknown = JSON.parse(body);
    return typeof json === 'object' && json !== null ? json : undefined;
  } catch {
    return undefined;
  }
}

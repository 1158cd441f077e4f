import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { addAbortSignal, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { ControlError } from './control.ts';
import { reasonOf } from './failure.ts';

/** How long a service may take to accept a connection, and to go on with an answer, in milliseconds. */
const CONNECT_MS = 10_000;
const SILENCE_MS = 300_000;

export interface RestRequest {
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

  constructor(base: URL) {
    this.#base = base;
  }

  /** What the service says when it has done as it was asked. */
  async json<T>(request: RestRequest): Promise<T> {
    const answer = await this.answer(request);
    return isOk(answer) ? ((await this.#said(answer)) as T) : this.refuse(answer);
  }

  /** The answer as it comes, whatever its status. */
  async answer(request: RestRequest): Promise<IncomingMessage> {
    try {
      return await send(this.#base, request);
    } catch (error) {
      return this.#failed(error);
    }
  }

  /** Throws what an answer says that is none of those that were asked for. */
  async refuse(answer: IncomingMessage): Promise<never> {
    const said = await this.#said(answer);
    throw this.#error('msg' in said ? String(said.msg) : strange(answer));
  }

  async #said(answer: IncomingMessage): Promise<object> {
    const body = await text(answer).catch((error) => this.#failed(error));
    const json = parse(body);
    if (json) return json;
    throw this.#error(strange(answer));
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

async function send(base: URL, { method, path, token, body, signal }: RestRequest): Promise<IncomingMessage> {
  const request = (base.protocol === 'https:' ? httpsRequest : httpRequest)(base, {
    method,
    path,
    headers: { authorization: `OAuth ${token}` },
    signal,
  });
  limitConnecting(request);
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  // What goes wrong later, the answer tells.
  request.on('error', () => {});
  const sent = sendBody(request, body);
  const [answer] = await Promise.race([answered, sent.then(() => answered)]);
  addAbortSignal(signal, answer);
  // It may come before the body is whole: then the rest is not sent.
  answer.once('end', () => {
    if (!request.writableFinished) request.destroy();
  });
  return answer;
}

async function sendBody(request: ClientRequest, body: RestRequest['body']): Promise<void> {
  // Whoever loads may have to wait for any time, until others leave some of what the service may do in a second.
  if (typeof body === 'object') return pipeline(Readable.from(body, { objectMode: false }), request);
  limitSilence(request);
  request.end(body);
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
    // While there is something to be taken, it is not the service that is silent.
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

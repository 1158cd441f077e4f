import type { IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders } from 'node:http';
import type { CommitGate } from '../../engine/commit-gate.ts';
import { messageJson } from '../json-answer.ts';
import { makeLast } from './current-response.ts';
import { JSON_TYPE, type lastResponses, usualHeaders } from './last-response.ts';

const NOT_KEPT = messageJson(
  'Changes cannot be kept on disk now, and perhaps this one was not made. Look, then try again later.',
);
const NOT_KEPT_HEADERS = [
  'content-type',
  JSON_TYPE,
  'content-length',
  String(Buffer.byteLength(NOT_KEPT)),
  'retry-after',
  '1',
];

/** What answers say whatever they tell: of which request they are, and which pages may read them. */
const SAID_ANYWAY = /^(?:x-request-id|vary|access-control-.+)$/;

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];
type LastResponse = ReturnType<typeof lastResponses>;
type Head = [status: number, message?: string | Headers, headers?: Headers];

/** Responses that wait until what they tell is kept. */
export function heldResponses(gate: CommitGate, Response: LastResponse) {
  class HeldResponse<Request extends IncomingMessage = IncomingMessage> extends Response<Request> {
    #head: Head | undefined;
    isHeld = false;
    /** The length of the body while it is held. */
    heldLength = 0;
    #isBegun = false;
    #isInPieces = false;

    override writeHead(...head: Head): this {
      this.#isBegun = true;
      const isFree = this.#isInPieces || gate.isOpen || !mayTellOfItems(this.req.url);
      if (isFree) return this.#writeHead(head);
      this.#head = head;
      // Fastify has each tell its client to close which comes while it closes. Node notes that no sooner than with the head.
      if (this.getHeader('connection') === 'close') makeLast(this);
      return this;
    }

    override writeUsualHead(bodyBytes: number, requestId: string | undefined): void {
      this.#isBegun = true;
      if (gate.isOpen || !mayTellOfItems(this.req.url)) super.writeUsualHead(bodyBytes, requestId);
      else this.writeHead(200, usualHeaders(bodyBytes, requestId));
    }

    // An answer in pieces is not held, since its beginning could not be taken back: whoever makes it waits before each
    // piece. Its head may be written by Node itself, with the first.
    override write(chunk: unknown, ...more: unknown[]): boolean {
      this.#isInPieces = true;
      if (this.#head) this.#writeHead(this.#head);
      return super.write(chunk, ...(more as []));
    }

    override end(...args: unknown[]): this {
      if (!this.#isBegun && !this.#isInPieces) this.writeHead(this.statusCode);
      const head = this.#head;
      if (!head) return this.#end(args);
      this.isHeld = true;
      this.heldLength = lengthOf(args[0]);
      gate.wait((isKept) => {
        this.isHeld = false;
        this.heldLength = 0;
        if (isKept) this.#writeHead(head).#end(args);
        else this.#writeHead([503, [...saidAnyway(head), ...NOT_KEPT_HEADERS]]).#end([NOT_KEPT]);
      });
      return this;
    }

    #writeHead([status, message, headers]: Head): this {
      this.#head = undefined;
      // Node tells the two forms apart by the type of the second argument.
      return super.writeHead(status, message as string, headers);
    }

    #end(args: unknown[]): this {
      return super.end(...(args as []));
    }
  }
  // A held response counts as sent, or Fastify would answer once more.
  Object.defineProperty(HeldResponse.prototype, 'headersSent', {
    get(this: HeldResponse) {
      return this.isHeld || Reflect.get(Response.prototype, 'headersSent', this);
    },
  });
  // What is held waits for the client, too.
  Object.defineProperty(HeldResponse.prototype, 'writableLength', {
    get(this: HeldResponse) {
      return this.heldLength + Reflect.get(Response.prototype, 'writableLength', this);
    },
  });
  return HeldResponse;
}

// Of a head whose headers are a list, name and value by turns, or an object.
function saidAnyway([, message, headers]: Head): OutgoingHttpHeader[] {
  const given = typeof message === 'object' ? message : (headers ?? []);
  const list = Array.isArray(given) ? given : Object.entries(given).flat();
  const isSaid = (_: unknown, i: number) => SAID_ANYWAY.test(String(list[i - (i % 2)]));
  return list.filter(isSaid) as OutgoingHttpHeader[];
}

function lengthOf(body: unknown): number {
  return typeof body === 'string' || Buffer.isBuffer(body) ? body.length : 0;
}

// Probes are answered at once. Everything else may be about items: a proxy may write a URL in many ways, with its host
// or with letters percent-encoded.
function mayTellOfItems(url = ''): boolean {
  return !/^\/(?:health|metrics|docs|version)\b/.test(url);
}

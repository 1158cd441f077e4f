import type { IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders } from 'node:http';
import { JoinedResponse, type KeptHead } from './joined-response.ts';
import { isFollowed } from './pipelining.ts';

/** Exactly this, without a charset: the Python client compares the whole header. */
export const JSON_TYPE = 'application/json';

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];

/** What Node keeps of how long a connection may be idle: it tells the client. No part of its interface. */
interface KeptTimeout {
  _keepAliveTimeout?: number;
}

/** What Node keeps of a client that asked whether to send its body: such an answer may be the last. No part of its interface. */
interface KeptExpectation {
  readonly _expect_continue?: boolean;
  /** It was told to. */
  readonly _sent100?: boolean;
}

/**
 * Responses that say how long the connection stays open without a request, or `Connection: close` while the
 * service stops, also to a request that came before.
 */
export function lastResponses(isStopping: () => boolean, keepAliveTimeoutMs: number) {
  // What Node wrote after the headers that it was given, and in which second: it has the time in seconds.
  let tail = '';
  let tailSecond = 0;

  return class<Request extends IncomingMessage = IncomingMessage> extends JoinedResponse<Request> {
    override writeHead(status: number, message?: string | Headers, headers?: Headers): this {
      if (isStopping() && !isFollowed(this)) this.shouldKeepAlive = false;
      (this as KeptTimeout)._keepAliveTimeout = keepAliveTimeoutMs;
      // Node tells the two forms apart by the type of the second argument.
      super.writeHead(status, message as string, headers);
      // Behind other answers the word to go on waits, and Node would put a head that leaves with bytes in front of it.
      if ((this as KeptExpectation)._sent100 && this.socket === null) this.flushHeaders();
      return this;
    }

    /**
     * Writes the head of a 200 with the usual headers. Node would look at every character of them, so it writes only
     * one such head a second, and the lines that it adds serve for the others.
     */
    writeUsualHead(bodyBytes: number, requestId: string | undefined): void {
      const kept = this as KeptHead;
      const mayBeLast = !this.shouldKeepAlive || isStopping() || (this as KeptExpectation)._expect_continue;
      // No earlier one either: the machine's clock may be set back.
      const second = Math.floor(Date.now() / 1000);
      if (!mayBeLast && second === tailSecond && kept._header === null) {
        kept._header = usualLines(bodyBytes, requestId) + tail;
        return;
      }
      this.writeHead(200, usualHeaders(bodyBytes, requestId));
      const lines = usualLines(bodyBytes, requestId);
      if (mayBeLast || typeof kept._header !== 'string' || !kept._header.startsWith(lines)) return;
      tail = kept._header.slice(lines.length);
      tailSecond = second;
    }
  };
}

/** The headers of an answer that is JSON and nothing else. `requestId`: undefined where nobody watches. */
export function usualHeaders(bodyBytes: number, requestId: string | undefined): OutgoingHttpHeader[] {
  const id = requestId === undefined ? [] : ['x-request-id', requestId];
  return [...id, 'content-type', JSON_TYPE, 'content-length', bodyBytes];
}

// The same as text. In few pieces, since each is memory that has to be collected.
function usualLines(bodyBytes: number, requestId: string | undefined): string {
  const start = requestId === undefined ? START : `${START}x-request-id: ${requestId}\r\n`;
  return `${start}${TYPE_AND_LENGTH}${bodyBytes}\r\n`;
}

const START = 'HTTP/1.1 200 OK\r\n';
const TYPE_AND_LENGTH = `content-type: ${JSON_TYPE}\r\ncontent-length: `;

import type { IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders } from 'node:http';
import { JoinedResponse, type KeptHead } from './joined-response.ts';

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];

/** What Node keeps of how long a connection may be idle: it tells the client. No part of its interface. */
interface KeptTimeout {
  _keepAliveTimeout?: number;
}

/**
 * Responses that say how long the connection stays open without a request, or `Connection: close` while the
 * service stops, also to a request that came before.
 */
export function lastResponses(isStopping: () => boolean, keepAliveTimeoutMs = 0) {
  // What Node wrote behind the headers that it was given, and until when that is right: it has the time in seconds.
  let tail = '';
  let tailUntil = 0;

  return class<Request extends IncomingMessage = IncomingMessage> extends JoinedResponse<Request> {
    override writeHead(status: number, message?: string | Headers, headers?: Headers): this {
      if (isStopping()) this.shouldKeepAlive = false;
      (this as KeptTimeout)._keepAliveTimeout = keepAliveTimeoutMs;
      // Node tells the two forms apart by the type of the second argument.
      return super.writeHead(status, message as string, headers);
    }

    /**
     * Writes the head of a 200 with headers of our own making. Node would look at every character of them, so
     * it writes one such head in a second, and its further lines serve for the others.
     */
    writeUsualHead(headers: OutgoingHttpHeader[]): void {
      const isUsual = this.shouldKeepAlive && !isStopping() && this.getHeaderNames().length === 0;
      if (!isUsual) {
        this.writeHead(200, headers);
        return;
      }
      const lines = usualLines(headers);
      const kept = this as KeptHead;
      const now = Date.now();
      if (now < tailUntil && kept._header === null) {
        kept._header = lines + tail;
        return;
      }
      this.writeHead(200, headers);
      if (typeof kept._header !== 'string' || !kept._header.startsWith(lines)) return;
      tail = kept._header.slice(lines.length);
      tailUntil = (Math.floor(now / 1000) + 1) * 1000;
    }
  };
}

function usualLines(headers: readonly OutgoingHttpHeader[]): string {
  let lines = 'HTTP/1.1 200 OK\r\n';
  for (let i = 0; i < headers.length; i += 2) lines += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return lines;
}

import type { IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders } from 'node:http';
import { JoinedResponse } from './joined-response.ts';

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];

/** Responses that say `Connection: close` while the service stops, also to a request that came before. */
export function lastResponses(isStopping: () => boolean) {
  return class<Request extends IncomingMessage = IncomingMessage> extends JoinedResponse<Request> {
    override writeHead(status: number, message?: string | Headers, headers?: Headers): this {
      if (isStopping()) this.shouldKeepAlive = false;
      // Node tells the two forms apart by the type of the second argument.
      return super.writeHead(status, message as string, headers);
    }
  };
}

import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

interface StreamedPost {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

/**
 * Sends a body of any length as it comes, and gives the answer, which may come before the body is whole: then
 * the rest is not sent. Not by fetch, which in Node 20 keeps the whole body in memory.
 */
export async function post({ url, headers, body, signal }: StreamedPost): Promise<Response> {
  const isTls = url.protocol === 'https:';
  // A connection that were to end with the answer could end before it is read, where we are still sending.
  const agent = isTls ? new TlsAgent({ keepAlive: true }) : new Agent({ keepAlive: true });
  const send = isTls ? httpsRequest : httpRequest;
  const request = send(url, { method: 'POST', headers, signal, agent });
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  const sent = pipeline(Readable.from(body, { objectMode: false }), request);
  try {
    const [message] = await Promise.race([answered, sent.then(() => answered)]);
    const pieces: Uint8Array[] = [];
    for await (const piece of message) pieces.push(piece);
    return new Response(Buffer.concat(pieces), { status: message.statusCode ?? 0 });
  } finally {
    request.destroy();
    agent.destroy();
  }
}

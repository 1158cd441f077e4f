import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

// What proxies and tracers send: a number, a UUID, a trace id. Nothing that could forge a log line.
const SANE = /^[\w.:/+=-]{1,128}$/;

/** Names requests: as the header X-Request-Id does, or else with a number of this process. */
export function requestIds(): (request: IncomingMessage) => string {
  const start = randomBytes(5).toString('hex');
  let count = 0;
  return ({ headers }) => {
    const given = headers['x-request-id'];
    if (typeof given === 'string' && SANE.test(given)) return given;
    count++;
    return `${start}-${count.toString(36)}`;
  };
}

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TokenBook } from '../auth/token-book.ts';
import { NO_SUCH_ENDPOINT, sendError } from './errors.ts';

const SCHEMES = /^(?:oauth|bearer) +(\S+) *$/i;

/**
 * Lets a request pass whose token may use the project in its path. The token comes in the header
 * `Authorization: OAuth TOKEN` (or `Bearer`) or as `?oauth=TOKEN`; the header wins.
 */
export function authenticate(tokens: TokenBook) {
  return (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    const { project = '', cache, key } = parametersOf(request);
    const token = tokenOf(request);
    if (token === undefined) {
      refuseToken(reply, 'A token is needed');
      return;
    }
    switch (tokens.check(project, token)) {
      case 'granted':
        // An empty name is no endpoint, though the router takes it for one.
        if (cache === '' || key === '') refuse(reply, 404, NO_SUCH_ENDPOINT);
        else done();
        break;
      case 'no_such_project':
        refuse(reply, 404, NO_SUCH_ENDPOINT);
        break;
      case 'forbidden':
        refuse(reply, 403, 'This token has no right to this project. Use a token of the project.');
        break;
      case 'unknown_token':
        refuseToken(reply, 'This token is not known');
        break;
    }
  };
}

function tokenOf(request: FastifyRequest): string | undefined {
  const header = request.headers.authorization;
  const fromHeader = header === undefined ? undefined : SCHEMES.exec(header)?.[1];
  if (fromHeader !== undefined) return fromHeader;
  const { oauth } = request.query as Record<string, string | string[] | undefined>;
  const fromQuery = typeof oauth === 'string' ? oauth : oauth?.[0];
  return fromQuery || undefined;
}

function parametersOf(request: FastifyRequest): Record<string, string | undefined> {
  return request.params as Record<string, string | undefined>;
}

function refuseToken(reply: FastifyReply, reason: string): void {
  sendError(reply, {
    status: 401,
    msg: `${reason}. Send it as the header "Authorization: OAuth TOKEN" or as ?oauth=TOKEN.`,
    headers: { 'www-authenticate': 'OAuth realm="ironcached"' },
  });
}

function refuse(reply: FastifyReply, status: number, msg: string): void {
  sendError(reply, { status, msg });
}

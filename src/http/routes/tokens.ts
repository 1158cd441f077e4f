import type { FastifyInstance, FastifyRequest } from 'fastify';
import { createToken, revokeToken } from '../../auth/credential-changes.ts';
import { covers, type Token } from '../../auth/credentials.ts';
import { tokenJson } from '../../auth/credentials-json.ts';
import { AdminScope, asAdmin } from '../control/administer.ts';
import { readNewToken } from '../control/control-requests.ts';
import {
  madeToken,
  newToken,
  type TokenListQuery,
  type TokenPath,
  tokenAnswer,
  tokenList,
  tokenListQuery,
  tokenPath,
} from '../control/control-schemas.ts';
import { pageBehind } from '../control/list-page.ts';
import { NO_SUCH_ENDPOINT } from '../errors.ts';
import { HttpRefusal } from '../http-refusal.ts';
import { DELETED, sendJson } from '../json-answer.ts';
import { operation } from '../operation.ts';
import { message } from '../schemas.ts';
import type { ControlParts } from './projects.ts';

export async function tokenRoutes(app: FastifyInstance, { accounts, now }: ControlParts): Promise<void> {
  app.get<{ Querystring: TokenListQuery }>(
    '/tokens',
    operation({
      id: 'listTokens',
      tag: 'tokens',
      summary: 'List the tokens that the token may administer, by id',
      query: tokenListQuery,
      answer: { description: 'A part of the list', schema: tokenList },
    }),
    (request, reply) => {
      const scope = new AdminScope(request);
      const { project_id: project } = request.query;
      const tokens = accounts.credentials.tokens.filter(
        (token) => scope.hasToken(token) && (project === undefined || covers(token, project)),
      );
      sendJson(reply, JSON.stringify({ tokens: pageBehind(tokens, request.query).map(answerOf) }));
    },
  );

  app.post(
    '/tokens',
    operation({
      id: 'createToken',
      tag: 'tokens',
      summary: 'Make a token',
      description: 'Its text is in the answer, and nowhere else: the service keeps a hash.',
      body: newToken,
      answer: { description: 'The token with its text', schema: madeToken },
      errors: {
        403: 'The project 4e71843298b1db3f0d0000ab has as many tokens as it may have (1000). Revoke one that is no longer used or has expired, or raise IRONCACHED_MAX_TOKENS.',
        404: 'There is no project 4e71843298b1db3f0d0000ab.',
        406: 'The member "projects" is missing. Send a JSON object with it.',
        409: 'There is a token of this text already. Choose another.',
        413: undefined,
      },
    }),
    async (request, reply) => {
      const asked = await readNewToken(request.raw, now());
      const check = (scope: AdminScope) => {
        if (asked.projects === '*') scope.requireAll();
        // As for a project that is none: whether there is one is not for this admin to know.
        else for (const id of asked.projects) if (!scope.hasProject(id)) throw noProject(id);
      };
      const create = createToken(asked, now(), accounts.tokenRules);
      const { token, text } = await accounts.change(asAdmin(request, check, create));
      sendJson(reply, JSON.stringify({ ...answerOf(token), token: text }));
      return reply;
    },
  );

  app.get<{ Params: TokenPath }>(
    '/tokens/:token',
    operation({
      id: 'getToken',
      tag: 'tokens',
      summary: 'Tell about a token',
      path: tokenPath,
      answer: { description: 'The token, without its text', schema: tokenAnswer },
    }),
    (request, reply) => sendJson(reply, JSON.stringify(answerOf(tokenOf(request)))),
  );

  app.delete<{ Params: TokenPath }>(
    '/tokens/:token',
    operation({
      id: 'revokeToken',
      tag: 'tokens',
      summary: 'Revoke a token, at once and for good',
      description: 'Memcached connections that signed in by it are signed out.',
      path: tokenPath,
      answer: { description: 'It is gone', schema: message, examples: { deleted: { msg: 'Deleted.' } } },
    }),
    async (request, reply) => {
      const { id } = tokenOf(request);
      await accounts.change(asAdmin(request, () => tokenOf(request), revokeToken(id)));
      sendJson(reply, DELETED);
      return reply;
    },
  );

  function tokenOf(request: FastifyRequest<{ Params: TokenPath }>): Token {
    const token = accounts.credentials.tokens.find(({ id }) => id === request.params.token);
    if (token && new AdminScope(request).hasToken(token)) return token;
    throw new HttpRefusal(404, NO_SUCH_ENDPOINT);
  }
}

function answerOf(token: Token) {
  const { id, ...rest } = tokenJson(token);
  return { id, _id: id, ...rest, admin: token.permissions.includes('admin') };
}

function noProject(id: string): HttpRefusal {
  return new HttpRefusal(404, `There is no project ${id}.`);
}

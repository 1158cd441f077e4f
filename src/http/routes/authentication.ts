import type { FastifyInstance, FastifyReply } from 'fastify';
import { type AuthenticationQuery, authenticationQuery, granted } from '../control/control-schemas.ts';
import { type Gate, tokenOf } from '../gate.ts';
import { sendJson } from '../json-answer.ts';
import { operation } from '../operation.ts';
import { sendForbidden } from '../token-refusals.ts';

const NO_TOKEN = 'Send a token as the header "Authorization: OAuth TOKEN".';
const NO_RIGHT = 'This token has no right to this project.';

/** May the token that a request comes with use a project? Whatever the reason, "no" is 403. */
export async function authenticationRoute(app: FastifyInstance, { gate }: { gate: Gate }): Promise<void> {
  app.get<{ Querystring: AuthenticationQuery }>(
    '/authentication',
    operation({
      id: 'authenticate',
      tag: 'tokens',
      summary: 'Whether the token may use a project',
      description: 'Whatever the reason, "no" is 403: also where there is no such project, or no token.',
      query: authenticationQuery,
      answer: { description: 'It may', schema: granted },
      usualErrors: [403, 429],
      errors: { 403: NO_RIGHT },
    }),
    (request, reply) => {
      const { project_id: project } = request.query;
      if (project === undefined) sendForbidden(reply, 'Name the project, as ?project_id=PROJECT_ID.');
      else if (tokenOf(request) === undefined) sendForbidden(reply, NO_TOKEN);
      else if (gate.grantFor(project, request, reply, refuseAll)) sendJson(reply, '{}');
    },
  );
}

function refuseAll(reply: FastifyReply): void {
  sendForbidden(reply, NO_RIGHT);
}

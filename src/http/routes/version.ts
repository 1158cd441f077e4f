import type { FastifyInstance } from 'fastify';
import { sendJson } from '../json-answer.ts';
import { operation } from '../operation.ts';
import { versionInfo } from '../schemas.ts';

export async function versionRoute(app: FastifyInstance, { version }: { version: string }): Promise<void> {
  const answer = JSON.stringify({ version });
  app.get(
    '/version',
    operation({
      id: 'getVersion',
      tag: 'service',
      summary: 'Which version this is',
      description: 'Needs no token.',
      answer: { description: 'The version', schema: versionInfo },
      open: true,
    }),
    (_request, reply) => sendJson(reply, answer),
  );
}

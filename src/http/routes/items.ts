import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Answer, after } from '../../engine/answer.ts';
import type { ArithmeticOutcome } from '../../engine/arithmetic.ts';
import type { Engine } from '../../engine/engine.ts';
import { keyFromText } from '../../engine/key.ts';
import { KEY_LENGTH_MAX } from '../../engine/limits.ts';
import { refuseIfLapsed } from '../authenticate.ts';
import { wholeBody } from '../body.ts';
import { HttpRefusal } from '../http-refusal.ts';
import { readAmount } from '../items/increment-request.ts';
import { sendItem, sendItemBytes } from '../items/item-answer.ts';
import { put, readPutRequest } from '../items/put-request.ts';
import { ValueBufferPool } from '../items/value-buffer-pool.ts';
import { DELETED, messageJson, sendJson, sendJsonBytes } from '../json-answer.ts';
import { operation } from '../operation.ts';
import { type ItemPath, incrementBody, incremented, item, itemPath, message, putBody } from '../schemas.ts';

const STORED = messageJson('Stored.');
// Not an error: clients compare the text with "Stored." and fail on an error status.
const NOT_STORED = messageJson('Not stored.');
const KEY_NOT_FOUND = messageJson('Key not found');
const NOT_NUMERIC = 'Cannot increment or decrement non-numeric value';
const OUT_OF_RANGE = 'The result would be outside the range of a 64-bit number. Use a smaller amount.';

const errors = { 404: 'Key not found' };
const bodyErrors = { 406: undefined, 413: undefined };

export async function itemRoutes(
  app: FastifyInstance,
  { engine, bodyBytesMax }: { engine: Engine; bodyBytesMax: number },
): Promise<void> {
  const buffers = new ValueBufferPool();
  const readsBody = wholeBody(bodyBytesMax, (request) => {
    cacheOf({ params: request.params as ItemPath }).countTooLarge();
  });
  app.addHook('onRoute', (route) => {
    if (route.config?.operation?.body) route.preHandler = readsBody;
  });

  app.get<{ Params: ItemPath }>(
    '/caches/:cache/items/:key',
    operation({
      id: 'getItem',
      tag: 'items',
      needs: 'read',
      summary: 'Get an item',
      description:
        'Bytes that are not UTF-8 come as base64, with the header `X-IronCache-Encoding: base64`. ' +
        'With `Accept: application/octet-stream` the answer is the bytes of the value, with the version as `ETag`.',
      path: itemPath,
      answer: { description: 'The item', schema: item, raw: true },
      errors,
    }),
    (request, reply) =>
      after(cacheOf(request).get(keyOf(request)), (found) => {
        if (!found) sendJson(reply, KEY_NOT_FOUND, 404);
        else if (wantsBytes(request)) sendItemBytes(reply, found);
        else sendItem(reply, request.params, found, buffers, engine.clock);
      }),
  );

  app.put<{ Params: ItemPath; Body: Buffer }>(
    '/caches/:cache/items/:key',
    operation({
      id: 'putItem',
      tag: 'items',
      needs: 'write',
      summary: 'Store an item',
      description:
        'Makes the cache if there is none. `add`, `replace` and `cas` are conditions: where they do not hold, ' +
        'nothing changes and the answer is 200 with `Not stored.`',
      path: itemPath,
      body: putBody,
      answer: {
        description: 'Whether the item was stored',
        schema: message,
        examples: { stored: { msg: 'Stored.' }, notStored: { msg: 'Not stored.' } },
      },
      errors: bodyErrors,
    }),
    (request, reply) => {
      const cache = cacheOf(request);
      const key = keyOf(request);
      const asked = readPutRequest(request.body, buffers);
      if (refuseIfLapsed(request, reply, engine.clock.unixNow())) return undefined;
      const seconds = asked.expiresInSeconds;
      const expiresAt =
        seconds === undefined ? cache.defaultExpiresAt() : engine.clock.now() + seconds * 1000;
      return after(put(cache, key, asked, expiresAt), (outcome) =>
        sendJsonBytes(reply, outcome === 'stored' ? STORED : NOT_STORED),
      );
    },
  );

  app.delete<{ Params: ItemPath }>(
    '/caches/:cache/items/:key',
    operation({
      id: 'deleteItem',
      tag: 'items',
      needs: 'write',
      summary: 'Delete an item',
      path: itemPath,
      answer: { description: 'It is gone', schema: message, examples: { deleted: { msg: 'Deleted.' } } },
      errors,
    }),
    (request, reply) =>
      after(cacheOf(request).delete(keyOf(request)), (deleted) => {
        if (deleted) sendJson(reply, DELETED);
        else sendJson(reply, KEY_NOT_FOUND, 404);
      }),
  );

  app.post<{ Params: ItemPath; Body: Buffer }>(
    '/caches/:cache/items/:key/increment',
    operation({
      id: 'incrementItem',
      tag: 'items',
      needs: 'write',
      summary: 'Add to a number',
      description:
        'Atomic, and exact over 64 bits, signed. A missing item starts with the amount as its value.',
      path: itemPath,
      body: incrementBody,
      answer: { description: 'The number after the addition', schema: incremented },
      errors: { 400: NOT_NUMERIC, ...bodyErrors, 406: 'The member "amount" is missing.' },
    }),
    (request, reply) => {
      const cache = cacheOf(request);
      const key = keyOf(request);
      const amount = readAmount(request.body);
      if (refuseIfLapsed(request, reply, engine.clock.unixNow())) return undefined;
      const initial = { value: amount, expiresAt: cache.defaultExpiresAt() };
      const answer: Answer<ArithmeticOutcome> = cache.calculate(
        key,
        { rule: 'signed', delta: amount },
        { initial },
      );
      return after(answer, (outcome) => sendSum(reply, outcome));
    },
  );

  function cacheOf({ params }: { params: ItemPath }) {
    return engine.cache(params.project, params.cache);
  }
}

function keyOf({ params: { key } }: { params: ItemPath }): string {
  if (key.length > KEY_LENGTH_MAX && [...key].length > KEY_LENGTH_MAX) {
    throw new HttpRefusal(400, `A key may have at most ${KEY_LENGTH_MAX} characters. Use a shorter key.`);
  }
  return keyFromText(key);
}

function wantsBytes({ headers: { accept } }: FastifyRequest<{ Params: ItemPath }>): boolean {
  return accept !== undefined && /application\/octet-stream/i.test(accept) && !/json/i.test(accept);
}

function sendSum(reply: FastifyReply, outcome: ArithmeticOutcome): void {
  if (outcome.status !== 'done') {
    throw new HttpRefusal(400, outcome.status === 'out_of_range' ? OUT_OF_RANGE : NOT_NUMERIC);
  }
  sendJson(reply, `{"msg":"Added","value":${outcome.value}}`);
}

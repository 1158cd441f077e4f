// What REST is measured against: the least that a route can do which checks a header and answers the same
// bytes, each answer by itself and at once, as is usual. Argument: `fastify` or `http`; environment: TOKEN,
// ANSWER (the bytes of an item's answer).
import { createServer } from 'node:http';
import fastify from 'fastify';

const authorization = `OAuth ${process.env['TOKEN']}`;
const answer = Buffer.from(process.env['ANSWER'] ?? '{}');
const stored = Buffer.from('{"msg":"Stored."}');
const json = 'application/json';

const port = process.argv[2] === 'fastify' ? await startFastify() : await startHttp();
process.stdout.write(`${JSON.stringify({ msg: 'ready', port })}\n`);

async function startFastify() {
  const app = fastify();
  app.addHook('onRequest', (request, reply, done) => {
    if (request.headers.authorization === authorization) done();
    else reply.code(401).send({ msg: 'no' });
  });
  app.get('/1/projects/:project/caches/:cache/items/:key', (_request, reply) => {
    reply.header('content-type', json).send(answer);
  });
  app.put('/1/projects/:project/caches/:cache/items/:key', (request, reply) => {
    const { value } = /** @type {{ value?: unknown }} */ (request.body);
    reply.header('content-type', json).send(value === undefined ? Buffer.from('{}') : stored);
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  return portOf(app.server.address());
}

/** @returns {Promise<number>} */
function startHttp() {
  const server = createServer((request, response) => {
    if (request.headers.authorization !== authorization) return response.writeHead(401).end();
    if (request.method === 'GET') return send(response, answer);
    /** @type {Buffer[]} */
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const { value } = JSON.parse(Buffer.concat(parts).toString());
      send(response, value === undefined ? Buffer.from('{}') : stored);
    });
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(portOf(server.address()))));
}

/** @param {import('node:http').ServerResponse} response @param {Buffer} body */
function send(response, body) {
  response.writeHead(200, { 'content-type': json, 'content-length': body.length }).end(body);
}

/** @param {ReturnType<import('node:net').Server['address']>} address */
function portOf(address) {
  return typeof address === 'object' && address ? address.port : 0;
}

import { createServer } from 'node:http';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { OTHER_TOKEN, path, TOKEN, testApp } from './support/app.ts';
import { plant, takeLeaks } from './support/overheard.ts';
import { PROJECT, TOKEN as SERVICE_TOKEN, startService } from './support/service.ts';
import { signIn, textClient } from './support/text-client.ts';

/*
 * That no token is told by anyone in the whole suite is asked after every test (tell-no-token.ts). Here
 * is shown that it would be noticed: whoever tells a token is overheard.
 */

const BAIT = plant('bait-that-somebody-tells');

afterEach(() => {
  expect(takeLeaks()).toEqual([]);
});

describe('a token is noticed', () => {
  test('in what a service logs, with a project and as an error', async () => {
    const { logger } = await startService();
    logger.info({ url: `/1/projects/${PROJECT}/caches?oauth=${BAIT}` });
    logger.error(new Error(`the token ${BAIT} is wrong`));
    expect(takeLeaks()).toHaveLength(2);
  });

  test('in what a server answers, in a header or a body', async () => {
    const server = createServer((_request, response) => {
      response.setHeader('location', `/x?oauth=${BAIT}`);
      response.end('moved');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    await (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).text();
    expect(takeLeaks()).toHaveLength(1);
  });

  test('in what a memcached client is answered', async () => {
    const service = await startService();
    const client = await textClient(service.memcachedPort);
    await client.ask(signIn(SERVICE_TOKEN, PROJECT, 'c'));
    expect(takeLeaks()).toEqual([]);
    await client.ask(`set k 0 0 ${BAIT.length}\r\n${BAIT}\r\nget k\r\n`, 'END\r\n');
    expect(takeLeaks()).toHaveLength(1);
  });

  test('in an answer that is injected', async () => {
    const rest = await testApp();
    await rest.request('PUT', path('c', 'k'), { value: BAIT });
    await rest.request('GET', path('c', 'k'));
    expect(takeLeaks().length).toBeGreaterThan(0);
  });
});

test('the tokens that the tests use are planted', async () => {
  const { logger } = await startService();
  for (const token of [SERVICE_TOKEN, TOKEN, OTHER_TOKEN]) {
    logger.info(token);
    expect(takeLeaks()).toHaveLength(1);
  }
});

import { describe, expect, test } from 'vitest';
import { HttpSocket } from '../support/http-socket.ts';
import { plant } from '../support/overheard.ts';
import { PROJECT, startService, type TestService, TOKEN } from '../support/service.ts';

const METRICS_TOKEN = plant('a-token-for-the-metrics');
const ADMIN_TOKEN = plant('an-admin-token-for-the-tests');

function get(port: number | undefined, path: string, token?: string): Promise<Response> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return fetch(`http://127.0.0.1:${port}${path}`, { headers });
}

describe('on the port of the REST API, the metrics', () => {
  test('are for the bearer of their token alone', async () => {
    const { httpPort } = await startService(['--metrics-token', METRICS_TOKEN]);
    const answer = await get(httpPort, '/metrics', METRICS_TOKEN);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('ironcached_ready 1');
    const none = await get(httpPort, '/metrics');
    expect(none.status).toBe(401);
    expect(await none.json()).toEqual({ msg: expect.stringContaining('A token is needed') });
    for (const [token, status] of [
      [TOKEN, 403],
      ['x', 401],
      [`${METRICS_TOKEN}x`, 401],
    ] as const) {
      const refused = await get(httpPort, '/metrics', token);
      expect([token, refused.status]).toEqual([token, status]);
      expect(await refused.text()).not.toContain('ironcached_ready');
    }
  });

  test('are for an admin of all projects, too', async () => {
    const { httpPort } = await startService(['--admin-token', ADMIN_TOKEN]);
    expect((await get(httpPort, '/metrics', ADMIN_TOKEN)).status).toBe(200);
    expect((await get(httpPort, '/metrics', TOKEN)).status).toBe(403);
  });

  test('are for nobody else where no token is set, and the answer says what to set', async () => {
    const { httpPort } = await startService();
    const refused = await get(httpPort, '/metrics', TOKEN);
    expect(refused.status).toBe(403);
    expect(await refused.json()).toEqual({ msg: expect.stringContaining('IRONCACHED_METRICS_TOKEN') });
  });

  test('are no way to try tokens: what is wrong counts as a failed sign-in', async () => {
    const { httpPort } = await startService([
      ...['--metrics-token', METRICS_TOKEN],
      ...['--sign-in-attempts-per-address', '2'],
      ...['--sign-in-delay', '0'],
    ]);
    const statuses: number[] = [];
    for (const token of ['x', 'y', 'z']) statuses.push((await get(httpPort, '/metrics', token)).status);
    expect(statuses).toEqual([401, 401, 429]);
  });
});

describe('a listener of their own', () => {
  test('serves metrics and health to everyone, and nothing else', async () => {
    const { metricsPort } = await startService(['--metrics-port', '0']);
    for (const path of ['/metrics', '/health/live', '/health/ready']) {
      expect([path, (await get(metricsPort, path)).status]).toEqual([path, 200]);
    }
    for (const path of ['/version', '/docs', '/1/projects/4e71843298b1db3f0d00a001/caches', '/']) {
      const refused = await get(metricsPort, path, TOKEN);
      expect([path, refused.status]).toEqual([path, 404]);
      expect(await refused.json()).toEqual({ msg: expect.any(String) });
    }
  });

  test('answers what is no request as REST does, and probes that are sparing of words', async () => {
    const { metricsPort = 0 } = await startService(['--metrics-port', '0']);
    for (const [request, status] of [
      ['BREW / HTTP/1.1\r\n\r\n', 400],
      [`GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
      ['POST /metrics HTTP/1.1\r\nHost: x\r\n\r\n', 405],
      ['GET /health/ready HTTP/1.1\r\n\r\n', 200],
      ['GET /metrics HTTP/1.0\r\n\r\n', 200],
    ] as const) {
      const socket = new HttpSocket(metricsPort);
      socket.write(request);
      // Such as `nc -N`, which ends its side.
      socket.socket.end();
      const answer = await socket.answer();
      expect([request.slice(0, 20), answer.status]).toEqual([request.slice(0, 20), status]);
      if (status >= 400) expect(JSON.parse(answer.body)).toEqual({ msg: expect.any(String) });
      await socket.closed();
    }
  });

  test('says that the service is not ready while it stops', async () => {
    const service = await startService(['--metrics-port', '0']);
    const client = await openRequest(service);
    const stopped = service.service.stop();
    expect((await get(service.metricsPort, '/health/ready')).status).toBe(503);
    expect((await get(service.metricsPort, '/health/live')).status).toBe(200);
    client.destroy();
    await stopped;
    await expect(get(service.metricsPort, '/health/live')).rejects.toThrow('fetch failed');
  });

  test('needs a free port', async () => {
    const { httpPort } = await startService();
    await expect(startService(['--metrics-port', String(httpPort)])).rejects.toThrow(
      /^the metrics listener cannot start: .*\(see IRONCACHED_METRICS_PORT\)$/,
    );
  });
});

/** A PUT whose body does not come, so that a stop has to wait for it. */
async function openRequest({ httpPort }: TestService): Promise<HttpSocket> {
  const client = new HttpSocket(httpPort);
  client.write(
    `PUT /1/projects/${PROJECT}/caches/c/items/k HTTP/1.1\r\nAuthorization: OAuth ${TOKEN}\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n`,
  );
  await new Promise((resolve) => client.socket.once('data', resolve));
  return client;
}

import { expect, test } from 'vitest';
import { testApp } from '../../support/app.ts';

test('the service is live and ready, for whoever asks', async () => {
  const { app } = await testApp();
  for (const status of ['live', 'ready']) {
    const response = await app.inject(`/health/${status}`);
    expect([response.statusCode, response.body]).toEqual([200, JSON.stringify({ status })]);
    expect(response.headers['content-type']).toBe('application/json');
  }
});

test('while a door is closed it is live, but not ready', async () => {
  const { app } = await testApp({ isReady: () => false });
  expect((await app.inject('/health/live')).statusCode).toBe(200);
  const response = await app.inject('/health/ready');
  expect(response.statusCode).toBe(503);
  expect(response.headers['retry-after']).toBe('1');
  expect(response.json()).toEqual({
    msg: 'The service is not ready: it starts or stops. Try again later.',
  });
});

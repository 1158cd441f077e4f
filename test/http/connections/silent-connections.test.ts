import { once } from 'node:events';
import { type AddressInfo, connect, createServer, Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { expect, onTestFinished, test, vi } from 'vitest';
import { excused, SilentConnections } from '../../../src/http/connections/silent-connections.ts';
import { kept } from '../../support/garbage.ts';

const LIMITS = { idleMs: 60_000, stallMs: 10_000 };

/** Has time pass, by every clock that is asked. */
function passingTime(): (ms: number) => void {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  let now = performance.now();
  const asked = vi.spyOn(performance, 'now').mockImplementation(() => now);
  onTestFinished(() => {
    vi.useRealTimers();
    asked.mockRestore();
  });
  return (ms) => {
    for (const end = now + ms; now < end; ) {
      now += 100;
      vi.advanceTimersByTime(100);
    }
  };
}

test('a connection on which bytes come or go stays open, and is cut off once none do for too long', async () => {
  const pass = passingTime();
  const server = createServer();
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [served] = (await once(server, 'connection')) as [Socket];
  new SilentConnections(LIMITS).watch(served);
  const ways = [
    [client, served],
    [served, client],
  ] as const;
  for (const [from, to] of ways) {
    for (let i = 0; i < 5; i++) {
      from.write('a part');
      await once(to, 'data');
      pass(LIMITS.stallMs - 2_000);
      expect(served.destroyed).toBe(false);
    }
  }
  pass(4_000);
  expect(served.destroyed).toBe(true);
});

test('one on which we ourselves are silent stays open for as long as that is so', () => {
  const pass = passingTime();
  const socket = new Socket();
  new SilentConnections(LIMITS).watch(socket);
  excused.add(socket);
  pass(5 * LIMITS.stallMs);
  excused.delete(socket);
  pass(LIMITS.stallMs - 2_000);
  expect(socket.destroyed).toBe(false);
  pass(4_000);
  expect(socket.destroyed).toBe(true);
});

test('those that are closed are forgotten, and where there are none nothing is looked at', async () => {
  passingTime();
  const connections = new SilentConnections(LIMITS);
  const open = async () => {
    const socket = new Socket();
    connections.watch(socket);
    expect(vi.getTimerCount()).toBe(1);
    await once(socket.destroy(), 'close');
    return new WeakRef(socket);
  };
  const closed = [await open(), await open()];
  expect(vi.getTimerCount()).toBe(0);
  await vi.waitFor(() => expect(kept(closed)).toBe(0));
  connections.watch(new Socket());
  expect(vi.getTimerCount()).toBe(1);
});

import type { Socket } from 'node:net';
import { expect, test, vi } from 'vitest';
import { DirectWrites } from '../../src/sockets/direct-writes.ts';

/*
 * A handle as Node has it, whose client reads what there is between Node's two attempts to write: nothing waits
 * then, but the request is used until it is completed. With real sockets that takes some seconds of fifty clients.
 */
class TCP {
  writeQueueSize = 0;
  isRead = false;

  writeLatin1String(request: WriteWrap): number {
    if (!this.isRead) return 0;
    if (request.isUsed) throw new Error('Node would end the process');
    request.isUsed = true;
    return 0;
  }
}

class WriteWrap {
  isUsed = false;
  buffer: unknown;
  oncomplete = (_status: number): void => {};

  getAsyncId(): number {
    return this.isUsed ? 7 : -1;
  }
}

const QUEUE_SIZE = Symbol('lastWriteQueueSize');

/** A socket of which nothing is read, and Node's own first write, which shows its requests. */
function connection() {
  const handle = new TCP();
  const socket = { _handle: handle as unknown, [QUEUE_SIZE]: 0, destroy: vi.fn() };
  const writes = new DirectWrites();
  const direct = writes.open(socket as unknown as Socket);
  if (!direct) throw new TypeError('a plain socket can be written to directly');
  handle.writeLatin1String(new WriteWrap());
  const given: WriteWrap[] = [];
  handle.writeLatin1String = (request) => {
    given.push(request);
    return TCP.prototype.writeLatin1String.call(handle, request);
  };
  const sent = vi.fn();
  const write = () => writes.write(direct, 'answer', sent);
  return { handle, socket, given, sent, write };
}

test('a request that Node still uses is not given once more, though nothing waits', () => {
  const { handle, given, sent, write } = connection();
  expect(write()).toBe('taken');
  handle.isRead = true;
  expect([write(), write()]).toEqual(['queued', 'queued']);
  for (const request of given.slice(1)) request.oncomplete(0);
  expect(sent).toHaveBeenCalledTimes(2);
});

test('a request is used again where the system took all at once', () => {
  const { given, write } = connection();
  expect([write(), write()]).toEqual(['taken', 'taken']);
  expect(given[1]).toBe(given[0]);
});

test('what waits is kept, and Node knows how much it is, until the system has it', () => {
  const { handle, socket, given, write } = connection();
  handle.isRead = true;
  handle.writeQueueSize = 4;
  expect(write()).toBe('queued');
  expect([given[0]?.buffer, socket[QUEUE_SIZE]]).toEqual(['answer', 4]);
  given[0]?.oncomplete(0);
  expect(socket[QUEUE_SIZE]).toBe(0);
});

test('a connection is closed where a write fails, be it later, of which nobody is told as sent', () => {
  const { handle, socket, given, sent, write } = connection();
  handle.isRead = true;
  write();
  given[0]?.oncomplete(-32);
  expect(socket.destroy).toHaveBeenCalledTimes(1);
  handle.writeLatin1String = () => -32;
  expect(write()).toBe('taken');
  expect(socket.destroy).toHaveBeenCalledTimes(2);
  expect(sent).not.toHaveBeenCalled();
});

test.each([null, new TCP()])('nothing is written to a handle that is no longer the socket’s', (handle) => {
  const { socket, given, write } = connection();
  socket._handle = handle;
  expect(write()).toBe('not_written');
  expect(given).toEqual([]);
});

test.each([
  ['that is closed', { _handle: null, [QUEUE_SIZE]: 0 }],
  ['of TLS', { _handle: new (class TLSWrap extends TCP {})(), [QUEUE_SIZE]: 0 }],
  ['of which Node keeps other members', { _handle: new TCP() }],
])('a socket %s is written to in the usual way', (_, socket) => {
  expect(new DirectWrites().open(socket as unknown as Socket)).toBeUndefined();
});

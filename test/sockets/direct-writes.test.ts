import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
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
  oncomplete = (_status: number): void => {};

  getAsyncId(): number {
    return this.isUsed ? 7 : -1;
  }
}

test('a request that Node still uses is not given once more, though nothing waits', () => {
  const handle = new TCP();
  const socket = { _handle: handle, [Symbol('lastWriteQueueSize')]: 0 } as unknown as Socket;
  const writes = new DirectWrites();
  const direct = writes.open(socket);
  if (!direct) throw new TypeError('a plain socket can be written to directly');
  // Node's own first write shows its requests.
  handle.writeLatin1String(new WriteWrap());
  let sent = 0;
  const given: WriteWrap[] = [];
  handle.writeLatin1String = (request) => {
    given.push(request);
    return TCP.prototype.writeLatin1String.call(handle, request);
  };
  const write = () => writes.write(direct, 'answer', () => sent++);

  expect(write()).toBe('taken');
  handle.isRead = true;
  expect([write(), write()]).toEqual(['queued', 'queued']);
  for (const request of given.slice(1)) request.oncomplete(0);
  expect(sent).toBe(2);
});

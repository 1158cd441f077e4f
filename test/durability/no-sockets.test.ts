import { expect, test, vi } from 'vitest';
import { startService, temporaryDirectory } from '../support/service.ts';

// As on file systems that know no sockets: names of the system are no files.
vi.mock('node:net', async (actual) => {
  const net = await actual<typeof import('node:net')>();
  class Server extends net.Server {
    override listen(...args: unknown[]): this {
      const [path] = args;
      if (typeof path !== 'string' || path.startsWith('\0')) return Reflect.apply(super.listen, this, args);
      const error = Object.assign(new Error('operation not permitted'), { code: 'EPERM' });
      queueMicrotask(() => this.emit('error', error));
      return this;
    }
  }
  const createServer = (...args: ConstructorParameters<typeof net.Server>) => new Server(...args);
  return { ...net, createServer };
});

test.skipIf(process.platform !== 'linux')(
  'where a directory can hold no sockets, a second process of the same machine is kept off, and the log says how far that goes',
  async () => {
    const dataDir = temporaryDirectory();
    const flags = ['--durability', 'log'];
    const { service, log } = await startService(flags, { dataDir });
    expect(log.join()).toContain(
      'nothing keeps a second process in another container or on another machine off this directory: it can hold no sockets',
    );
    await expect(startService(flags, { dataDir })).rejects.toThrow('another process uses');
    await service.stop();
    await expect(startService(flags, { dataDir })).resolves.toBeDefined();
  },
);

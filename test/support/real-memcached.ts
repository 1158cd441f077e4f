import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { MemcachedClient } from './memcached-client.ts';

/** The version of the memcached on this machine, if there is one. */
export function memcachedVersion(): string | undefined {
  const { stdout } = spawnSync('memcached', ['-V'], { encoding: 'latin1' });
  return /^memcached (\S+)/.exec(stdout ?? '')?.[1];
}

interface RealMemcached {
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts the machine's memcached on a free port. */
export async function startMemcached(options: readonly string[] = []): Promise<RealMemcached> {
  const port = await freePort();
  const asUser = process.getuid?.() === 0 ? ['-u', 'root'] : [];
  const child = spawn(
    'memcached',
    ['-l', '127.0.0.1', '-p', String(port), '-U', '0', '-m', '256', ...asUser, ...options],
    {
      stdio: 'ignore',
    },
  );
  await untilItAnswers(child, port);
  return {
    port,
    stop: async () => {
      const exited = once(child, 'exit');
      if (child.kill('SIGKILL')) await exited;
    },
  };
}

async function untilItAnswers(child: ChildProcess, port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) throw new Error(`memcached ended with status ${child.exitCode}`);
    try {
      const client = await MemcachedClient.connect(port);
      await client.ask('version\r\n');
      client.destroy();
      return;
    } catch {
      // Another process: there is nothing but asking again.
      await delay(10);
    }
  }
  child.kill('SIGKILL');
  throw new Error('memcached does not answer');
}

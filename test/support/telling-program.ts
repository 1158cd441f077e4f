import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from './service.ts';

// The compiled program; `npm test` has compiled it before.
const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export const projectId = '0123456789abcdef01234567';
export const token = 'a-token-of-a-program-that-tells';

// On a signal that the service has no use for, V8 collects to use less memory, as it does by itself now and then.
const collectOnSignal = `data:text/javascript,
  import { Session } from 'node:inspector';
  const session = new Session();
  session.connect();
  process.on('SIGWINCH', () => session.post('HeapProfiler.collectGarbage', () => console.log('V8 has collected')));
`;

interface TellingProgram {
  readonly httpPort: number;
  readonly memcachedPort: number;
  /** What it wrote, and V8, until now; V8 may have more to tell. */
  output(): string;
  /** Has V8 collect. */
  collect(): Promise<void>;
  /** Ends it. Resolves with the names of the functions that V8 compiled, and whose code it threw away by collecting. */
  end(): Promise<{ compiled: string[]; thrownAway: string[] }>;
}

/** The service, with V8 telling what it compiles, which compiled code it throws away, and when it collects. */
export async function startTelling(): Promise<TellingProgram> {
  const telling = ['--trace-opt', '--trace-deopt', '--trace-deopt-verbose', '--trace-gc'];
  const flags = [...telling, '--import', collectOnSignal];
  const child = spawn(process.execPath, [...flags, program, '--http-port=0', '--memcached-port=0'], {
    env: {
      PATH: process.env['PATH'],
      IRONCACHED_DATA_DIR: temporaryDirectory(),
      IRONCACHED_PROJECT_ID: projectId,
      IRONCACHED_TOKEN: token,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const closed = once(child, 'close');
  let output = '';
  child.stdout.setEncoding('latin1').on('data', (chunk) => {
    output += chunk;
  });
  async function told(pattern: RegExp, start = 0): Promise<string> {
    for (;;) {
      const found = pattern.exec(output.slice(start));
      if (found) return found[0];
      if (child.exitCode !== null) throw new Error(output);
      await Promise.race([once(child.stdout, 'data'), closed]);
    }
  }
  const { httpPort, memcachedPort } = JSON.parse(await told(/^\{.*ironcached is ready.*$/m));
  return {
    httpPort,
    memcachedPort,
    output: () => output,
    async collect() {
      const start = output.length;
      child.kill('SIGWINCH');
      await told(/V8 has collected/, start);
    },
    async end() {
      child.kill('SIGTERM');
      await closed;
      return {
        compiled: namesIn(output, /completed optimizing.*JSFunction ([^ ]*)/g),
        thrownAway: namesIn(output, /SharedFunctionInfo ?([^>]*)>.*reason: .*weak objects/g),
      };
    },
  };
}

function namesIn(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, name = '']) => name);
}

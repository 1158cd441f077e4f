import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export const PROJECT = 'c0ffee'.repeat(4);
export const TOKEN = 'the-token-of-the-crash-test';

/** The program, as a process of its own that can be killed. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  readonly #lines: Record<string, unknown>[] = [];
  #output = '';
  #rest = '';
  #news: () => void = () => {};
  #isOver = false;

  constructor(dataDir: string, env: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, [program], {
      env: {
        PATH: process.env['PATH'],
        IRONCACHED_DATA_DIR: dataDir,
        IRONCACHED_PROJECT_ID: PROJECT,
        IRONCACHED_TOKEN: TOKEN,
        IRONCACHED_HTTP_PORT: '0',
        IRONCACHED_MEMCACHED_PORT: '0',
        IRONCACHED_MEMORY_LIMIT: '64mb',
        IRONCACHED_MAX_CONNECTIONS: '100',
        ...env,
      },
    });
    this.#exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdout?.on('data', (chunk) => this.#read(String(chunk)));
    this.#child.stderr?.on('data', (chunk) => this.#read(String(chunk)));
    this.#child.once('exit', () => {
      this.#isOver = true;
      this.#news();
    });
  }

  get output(): string {
    return this.#output;
  }

  /** What was logged under a message. */
  logged(message: string): Record<string, unknown>[] {
    return this.#lines.filter(({ msg }) => msg === message);
  }

  /** Where it is found, once it is ready. */
  async ready(): Promise<{ httpPort: number; memcachedPort: number }> {
    for (;;) {
      const [line] = this.logged('ironcached is ready');
      if (line) return { httpPort: Number(line['httpPort']), memcachedPort: Number(line['memcachedPort']) };
      if (this.#isOver) throw new Error(`it ended before it was ready: ${this.#output}`);
      await new Promise<void>((resolve) => {
        this.#news = resolve;
      });
    }
  }

  /** Ends it by a signal, and answers its exit status. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    this.#child.kill(signal);
    return this.#exited;
  }

  #read(text: string): void {
    this.#output += text;
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('{')) this.#lines.push(JSON.parse(line));
    this.#news();
  }
}

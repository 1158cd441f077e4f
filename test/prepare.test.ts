import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { temporaryDirectory } from './support/service.ts';

vi.setConfig({ testTimeout: 20_000 });

const root = fileURLToPath(new URL('..', import.meta.url));

/** A clone of a program of one line, whose npm and compiler write down how they were called. */
class Clone {
  readonly #path = temporaryDirectory();

  constructor() {
    cpSync(join(root, 'scripts'), join(this.#path, 'scripts'), { recursive: true });
    for (const name of ['package.json', 'package-lock.json', 'tsconfig.json']) this.write(name, '{}');
    this.write('src/main.ts', '1');
    this.write(
      'scripts/bundle.mjs',
      'import { cpSync } from "node:fs"; cpSync("src/main.ts", "dist/main.js")',
    );
    const compiler = 'require("fs").mkdirSync("dist"); require("fs").appendFileSync("calls", "tsc\\n")';
    this.write('compiler.js', compiler);
    const tsc = 'node_modules/typescript/bin';
    this.write(
      'bin/npm',
      `#!/bin/sh\necho "npm $*" >> calls; rm -rf node_modules; mkdir -p ${tsc}; cp compiler.js ${tsc}/tsc\n`,
    );
    chmodSync(join(this.#path, 'bin/npm'), 0o755);
  }

  write(name: string, text: string): void {
    const path = join(this.#path, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text);
  }

  remove(name: string): void {
    rmSync(join(this.#path, name), { recursive: true });
  }

  makeOld(name: string): void {
    utimesSync(join(this.#path, name), 0, 0);
  }

  /** Runs a shell command in it, as npm does, until that prints something; resolves with the shell. */
  async begin(command: string) {
    const shell = spawn('sh', ['-c', command], {
      cwd: this.#path,
      env: { PATH: process.env['PATH'], npm_lifecycle_event: 'start' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(shell.stdout, 'data');
    return shell;
  }

  /** Runs a script; what npm and the compiler were called with meanwhile, and what was printed. */
  run(script: string): { calls: string[]; stdout: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(this.#path, 'scripts', script)], {
      cwd: this.#path,
      env: { PATH: `${join(this.#path, 'bin')}:${process.env['PATH']}` },
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    const calls = join(this.#path, 'calls');
    const called = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : [];
    rmSync(calls, { force: true });
    return { calls: called, stdout };
  }
}

const INSTALLED = expect.stringMatching(/^npm ci .*--include=dev --include=optional/);

test.skipIf(process.platform === 'win32')('a bare clone is installed and compiled once', () => {
  const clone = new Clone();
  expect(clone.run('prepare.mjs').calls).toEqual([INSTALLED, 'tsc']);
  expect(clone.run('prepare.mjs').calls).toEqual([]);
});

test.skipIf(process.platform === 'win32')('sources and packages of an older date are noticed, too', () => {
  const clone = new Clone();
  clone.write('src/main.ts', 'console.log("newer")');
  expect(clone.run('start.mjs').stdout).toBe('newer\n');
  clone.write('src/main.ts', 'console.log("older")');
  clone.makeOld('src/main.ts');
  expect(clone.run('start.mjs')).toEqual({ calls: ['tsc'], stdout: 'older\n' });
  clone.write('package-lock.json', '{"lockfileVersion": 3}');
  clone.makeOld('package-lock.json');
  expect(clone.run('prepare.mjs').calls).toEqual([INSTALLED, 'tsc']);
});

test.skipIf(process.platform === 'win32')('a compiler that was pruned comes back where it is needed', () => {
  const clone = new Clone();
  clone.run('prepare.mjs');
  clone.remove('node_modules/typescript');
  expect(clone.run('prepare.mjs').calls).toEqual([]);
  clone.write('src/main.ts', '2');
  expect(clone.run('prepare.mjs').calls).toEqual([INSTALLED, 'tsc']);
});

test.skipIf(process.platform === 'win32')(
  'a signal that ends the shell of npm stops the program, once',
  async () => {
    const clone = new Clone();
    clone.write(
      'src/main.ts',
      `process.on('SIGTERM', () => { console.log('stopping'); setTimeout(() => process.exit(), 500); });
     setTimeout(() => {}, 15_000);
     console.log('ready');
     // The shell may end before the program has begun.
     await new Promise((begun) => setTimeout(begun, 300));`,
    );
    clone.run('prepare.mjs');
    // Some shells would become the last command.
    const shell = await clone.begin('node scripts/start.mjs; true');
    let said = '';
    shell.stdout.on('data', (chunk) => {
      said += chunk;
    });
    shell.kill('SIGTERM');
    await once(shell.stdout, 'end');
    expect(said).toBe('stopping\n');
  },
);

test('no command relies on one that npm runs before it, which it leaves out where ignore-scripts is set', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const names = Object.keys(scripts);
  expect(
    names.filter((name) => names.includes(name.replace(/^(?:pre|post)/, '')) && /^(?:pre|post)/.test(name)),
  ).toEqual([]);
});

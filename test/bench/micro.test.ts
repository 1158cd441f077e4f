import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/*
 * The micro-benchmarks reach into what is compiled, and check what each piece of work does before it is
 * timed: so a change of the insides that they do not follow is noticed here.
 */

const script = fileURLToPath(new URL('micro.mjs', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'ironcached-micro-'));
const file = join(directory, 'figures.json');
let first: ReturnType<typeof micro>;

function micro(...options: string[]) {
  const shortest = ['--processes', '1', '--rounds', '1', '--ms', '0.01'];
  return spawnSync(process.execPath, [script, ...shortest, ...options], { encoding: 'utf8' });
}

beforeAll(() => {
  first = micro('--json', file);
});

afterAll(() => rmSync(directory, { recursive: true }));

/** Writes the first run's figures as if everything had taken so many times as long. */
function figuresTimes(factor: number): string {
  const result = JSON.parse(readFileSync(file, 'utf8'));
  const entries = Object.entries<number[]>(result.figures);
  const figures = Object.fromEntries(entries.map(([name, runs]) => [name, runs.map((run) => run * factor)]));
  const path = join(directory, `${factor}.json`);
  writeFileSync(path, JSON.stringify({ ...result, figures }));
  return path;
}

describe('the micro-benchmarks', () => {
  test('still fit the program, and time every piece of work', () => {
    expect(first).toMatchObject({ status: 0, stderr: '' });
    const { figures } = JSON.parse(readFileSync(file, 'utf8'));
    expect(Object.keys(figures)).toEqual(
      expect.arrayContaining(['parser, get', 'session, get', 'engine, set of 100 B', 'arena, read']),
    );
    for (const runs of Object.values(figures)) expect(runs).toEqual([expect.any(Number)]);
  });

  test('mark what became slower, and end with status 1', () => {
    const { status, stdout } = micro('--json', join(directory, 'now.json'), '--compare', figuresTimes(1e-6));
    expect(stdout).toMatch(/session, get .* SLOWER/);
    expect(status).toBe(1);
  });

  test('mark what became faster, and end well', () => {
    const { status, stdout } = micro('--json', join(directory, 'now.json'), '--compare', figuresTimes(1e6));
    expect(stdout).toMatch(/session, get .* faster/);
    expect(status).toBe(0);
  });
});

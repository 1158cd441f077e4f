import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/*
 * The shape of the program, held by reading its import statements. What a part may import is said here
 * and nowhere else; a part that is not in the map has no place in src.
 */

const mayImport: Readonly<Record<string, readonly string[]>> = {
  main: ['cli', 'config', 'help', 'package-files', 'process', 'service', 'start-error'],
  help: ['cli', 'config'],
  service: [
    'auth',
    'config',
    'durability',
    'engine',
    'event-loop',
    'files',
    'http',
    'limits',
    'memcached',
    'metrics',
    'package-files',
    'process',
    'start-error',
    'storage',
    'thrown',
  ],
  cli: ['auth', 'config', 'dump', 'durability', 'engine', 'files', 'process', 'service', 'thrown'],
  http: [
    'auth',
    'byte-order-mark',
    'byte-pieces',
    'dump',
    'engine',
    'event-loop',
    'last-of-kind',
    'limits',
    'metrics',
    'sockets',
  ],
  memcached: ['auth', 'engine', 'event-loop', 'last-of-kind', 'limits', 'metrics', 'sockets'],
  storage: ['engine'],
  durability: ['engine', 'files', 'start-error', 'thrown'],
  dump: ['byte-order-mark', 'byte-pieces', 'engine'],
  auth: ['files', 'thrown'],
  sockets: ['event-loop'],
  'event-loop': ['engine', 'last-of-kind'],
  files: ['byte-order-mark', 'thrown'],
  process: ['thrown'],
  engine: [],
  config: [],
  limits: [],
  metrics: [],
  'byte-order-mark': [],
  'byte-pieces': [],
  'last-of-kind': [],
  'package-files': [],
  'start-error': [],
  thrown: [],
};

const source = fileURLToPath(new URL('../src/', import.meta.url));

interface SourceFile {
  /** From src, with forward slashes: `engine/cache.ts`. */
  readonly path: string;
  readonly text: string;
  /** What it imports of ours, as paths of the same form. */
  readonly ours: readonly string[];
  /** What it imports of Node and of packages. */
  readonly others: readonly string[];
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => path.replaceAll('\\', '/'))
  .sort()
  .map(readSource);

function readSource(path: string): SourceFile {
  const text = readFileSync(join(source, path), 'utf8');
  const imported = importsIn(text);
  const ours = imported
    .filter((name) => name.startsWith('.'))
    .map((name) => relative(source, join(source, dirname(path), name)).replaceAll('\\', '/'));
  return { path, text, ours, others: imported.filter((name) => !name.startsWith('.')) };
}

/** The modules that a text imports, for types as well, or exports again. */
function importsIn(text: string): string[] {
  const statements = text.matchAll(
    /^\s*(?:import|export)\s[^'";]*?\bfrom\s*'([^']+)'|^\s*import\s*'([^']+)'|\bimport\(\s*'([^']+)'/gm,
  );
  return [...statements].map(([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? '');
}

/** The part that a file belongs to: its folder, or its own name where it lies in src itself. */
function partOf(path: string): string {
  return path.split('/')[0]?.replace(/\.ts$/, '') ?? '';
}

/** What is wrong with each file, one line each. */
function faults(find: (file: SourceFile) => readonly string[]): string[] {
  return files.flatMap((file) => find(file).map((fault) => `${file.path}: ${fault}`));
}

test('import statements of every form are seen', () => {
  const text = [
    "import a from './a.ts';",
    "import type { B } from './b.ts';",
    'import {',
    '  type C,',
    '  c,',
    "} from './c.ts';",
    "import './d.ts';",
    "export { e } from './e.ts';",
    "export type { F } from './f.ts';",
    "const g = await import('./g.ts');",
    "const text = 'import h from h';",
  ].join('\n');
  expect(importsIn(text)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => `./${name}.ts`));
  const count = (path: string) => files.find((file) => file.path === path)?.ours.length;
  expect(count('engine/whole.ts')).toBe(0);
  expect(count('storage/lru-cache.ts')).toBeGreaterThan(3);
});

describe('the import map', () => {
  test('has a place for every file', () => {
    expect(
      faults(({ path }) => (mayImport[partOf(path)] ? [] : [`${partOf(path)} is not in the map`])),
    ).toEqual([]);
  });

  test('is kept by every file', () => {
    const strange = ({ path, ours }: SourceFile) =>
      ours.filter((target) => {
        const part = partOf(target);
        return part !== partOf(path) && !mayImport[partOf(path)]?.includes(part);
      });
    expect(faults((file) => strange(file).map((target) => `may not import ${target}`))).toEqual([]);
  });

  test('keeps the two doors apart', () => {
    const doors = ['http', 'memcached'];
    const crossing = ({ path, ours }: SourceFile) =>
      ours.filter((target) => doors.includes(partOf(path)) && doors.includes(partOf(target)));
    expect(faults((file) => crossing(file).filter((target) => partOf(target) !== partOf(file.path)))).toEqual(
      [],
    );
  });

  test('leads only to files that exist', () => {
    const paths = new Set(files.map(({ path }) => path));
    expect(faults(({ ours }) => ours.filter((target) => !paths.has(target)))).toEqual([]);
  });

  test('has no cycles, also not between types', () => {
    expect(cycles()).toEqual([]);
  });
});

describe('what is outside', () => {
  test('is known to the engine in no form: no sockets, no HTTP, no files, no timers', () => {
    const outside = /^node:(?!(assert|buffer|crypto|util)$)/;
    const inEngine = ({ path, others }: SourceFile) =>
      partOf(path) === 'engine' ? others.filter((name) => outside.test(name)) : [];
    expect(faults(inEngine)).toEqual([]);
    const timers = /\b(setTimeout|setInterval|setImmediate|Date\.now|new Date\(\))/;
    expect(
      faults(({ path, text }) => (partOf(path) === 'engine' ? (timers.exec(text) ?? []).slice(0, 1) : [])),
    ).toEqual([]);
  });

  test('comes from the environment through config.ts alone', () => {
    const reads = /\bprocess\s*\.\s*env\b|\bprocess\[|\benv\b[^;]*from 'node:process'/;
    const readers = files.filter(({ text }) => reads.test(text)).map(({ path }) => path);
    expect(readers).toEqual(['config.ts']);
  });
});

describe('a start', () => {
  test('loads these packages and no others: what is not needed each time is imported where it is', () => {
    expect(packagesLoadedBy('main.ts')).toEqual(['fastify', 'lru-cache', 'pino']);
  });
});

describe('files', () => {
  test('are named for what they hold, not for what they are', () => {
    const vague = /(^|[/-])(utils?|helpers?|types?|managers?|base|common|misc)(\.ts$|-|\/)|(^|\/)index\.ts$/;
    expect(files.map(({ path }) => path).filter((path) => vague.test(path))).toEqual([]);
  });

  test('do more than export what others have', () => {
    const own = ({ text }: SourceFile) =>
      text
        .replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
        .replace(/^\s*(import|export)\s[^;]*\bfrom\s[^;]*;/gm, '');
    expect(files.filter((file) => own(file).trim() === '').map(({ path }) => path)).toEqual([]);
  });
});

/** The packages that a file imports as it is loaded, and whatever it imports so; types are no code. */
function packagesLoadedBy(entry: string): string[] {
  const seen = new Set([entry]);
  const packages = new Set<string>();
  for (const path of seen) {
    const text = files.find((file) => file.path === path)?.text ?? '';
    for (const [, name = ''] of text.matchAll(/^(?:import|export) (?!type )[^'";]*?\bfrom '([^']+)'/gm)) {
      if (name.startsWith('.'))
        seen.add(relative(source, join(source, dirname(path), name)).replaceAll('\\', '/'));
      else if (!name.startsWith('node:')) packages.add(name);
    }
  }
  return [...packages].sort();
}

/** Every import that closes a circle, with the way around. */
function cycles(): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) found.push([...way.slice(way.indexOf(path)), path].join(' → '));
    if (way.includes(path) || done.has(path)) return;
    for (const target of byPath.get(path)?.ours ?? []) visit(target, [...way, path]);
    done.add(path);
  };
  for (const { path } of files) visit(path, []);
  return found;
}

// Replaces dist/main.js by one that has most of the program's modules in itself, so that a start opens a
// handful of files instead of 200: that takes a fifth off it. What is loaded on demand stays in files of its
// own, and packages stay where they are. The program needs no other module of dist/: those are for the
// benchmarks, for tests that run one in a process of its own, and for `npm run openapi`.
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));

const bundle = await rolldown({
  cwd: root,
  input: join(root, 'src', 'main.ts'),
  platform: 'node',
  external: (name) => !name.startsWith('.') && !isAbsolute(name),
});
await bundle.write({
  dir: 'dist',
  format: 'esm',
  sourcemap: !process.argv.includes('--no-source-map'),
  entryFileNames: 'main.js',
  // Beside main.js, since src/package-files.ts goes by where it stands.
  chunkFileNames: 'part-[name]-[hash].js',
});

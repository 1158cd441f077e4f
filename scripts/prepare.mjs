// Makes a bare clone ready: installs what the lock file names and compiles src/ to dist/.
// Does nothing, in a few milliseconds, when neither has changed since the last time.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const installedStamp = join(root, 'node_modules', '.ironcached-installed');
const builtStamp = join(root, 'dist', '.ironcached-built');

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 15) || major === 21 || (major === 22 && minor < 2)) {
  fail(`ironcached needs Node.js 20.15, 22.2 or newer; this is ${process.version}.`);
}

if (newest([join(root, 'package.json'), join(root, 'package-lock.json')]) > modified(installedStamp)) {
  step('installing packages (npm ci)', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(installedStamp, '');
}

const sources = [
  join(root, 'tsconfig.json'),
  join(root, 'scripts', 'bundle.mjs'),
  installedStamp,
  ...filesBelow(join(root, 'src')),
];
if (process.argv.includes('--build') || newest(sources) > modified(builtStamp)) {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  step('compiling', process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'src']);
  step('bundling', process.execPath, [join(root, 'scripts', 'bundle.mjs')]);
  writeFileSync(builtStamp, '');
  const now = new Date();
  utimesSync(builtStamp, now, now);
}

function step(what, command, args) {
  process.stderr.write(`ironcached: ${what} …\n`);
  // On Windows npm is a .cmd file, which only a shell can start.
  const shell = process.platform === 'win32' && command === 'npm';
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], shell });
  if (error || status !== 0) fail(`${what} failed${error ? `: ${error.message}` : ''}; see above.`);
}

function fail(message) {
  process.stderr.write(`ironcached: ${message}\n`);
  process.exit(1);
}

function modified(file) {
  return existsSync(file) ? statSync(file).mtimeMs : 0;
}

function newest(files) {
  return Math.max(...files.map(modified));
}

function filesBelow(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).map((entry) =>
    join(entry.parentPath ?? entry.path, entry.name),
  );
}

// Makes a bare clone ready: installs what the lock file names and compiles src/ to dist/.
// Does nothing, in a few milliseconds, when both are of just these packages and sources: what is in the files
// says that, since those of another release may well be older than what was compiled before.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const installedStamp = join(root, 'node_modules', '.ironcached-installed');
const builtStamp = join(root, 'dist', '.ironcached-built');
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19) || major === 21 || (major === 22 && minor < 12)) {
  fail(`ironcached needs Node.js 20.19, 22.12 or newer; this is ${process.version}.`);
}

const packages = [join(root, 'package.json'), join(root, 'package-lock.json')];
const sources = [join(root, 'tsconfig.json'), join(root, 'scripts', 'bundle.mjs'), ...filesBelow('src')];
const installed = digest(packages);
const built = digest([...packages, ...sources]);
const compiles = process.argv.includes('--build') || textOf(builtStamp) !== built;

// `npm prune --omit=dev` takes the compiler away again.
if (textOf(installedStamp) !== installed || (compiles && !existsSync(compiler))) {
  // Also where NODE_ENV=production or somebody's npm settings leave out what compiles.
  const all = ['--include=dev', '--include=optional'];
  step('installing packages (npm ci)', 'npm', ['ci', ...all, '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(installedStamp, installed);
}

if (compiles) {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  step('compiling', process.execPath, [compiler, '-p', 'src']);
  step('bundling', process.execPath, [join(root, 'scripts', 'bundle.mjs')]);
  writeFileSync(builtStamp, built);
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

function textOf(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function digest(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${relative(root, file)}\n`).update(readFileSync(file));
  return hash.digest('hex');
}

function filesBelow(directory) {
  return readdirSync(join(root, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

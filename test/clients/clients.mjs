import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));

/**
 * Every client that there is a program for: `{name, command}`, or `{name, missing}` where this machine
 * lacks what runs it. What must be compiled is compiled below `workDir`. A program finds out by itself
 * whether its library is there.
 */
export function clientsOfThisMachine(sources, workDir) {
  return [
    ...pythonClients(sources),
    ...scripts('php', ['php'], { 'php-memcached': 'memcached.php', 'php-memcache': 'memcache.php' }),
    ...scripts('perl', ['perl'], {
      'Cache::Memcached': 'cache_memcached.pl',
      'Cache::Memcached::Fast': 'cache_memcached_fast.pl',
    }),
    ...rubyClients(sources),
    ...scripts('node', [process.execPath], {
      'npm memcached': 'npm_memcached.mjs',
      'npm memcache-client': 'memcache_client.mjs',
      'npm memcache-plus': 'memcache_plus.mjs',
    }),
    ...goMemcacheClients(workDir),
    ...javaClients(),
    ...scripts('tools', ['sh'], { 'libmemcached-tools': 'libmemcached_tools.sh' }),
    ...restClients(sources, workDir),
  ];
}

function restClients(sources, workDir) {
  return [
    ...scripts('node', [process.execPath], {
      'REST: npm iron-cache': 'npm_iron_cache.mjs',
      'REST: iron_cache_node': 'iron_cache_node.mjs',
    }),
    ...scripts('php', ['php'], { 'REST: iron_cache_php': 'iron_cache.php' }),
    ...scripts('ruby', ['ruby'], { 'REST: iron_cache_ruby': 'iron_cache.rb' }),
    pythonClient('REST: iron-cache (PyPI)', 'iron_cache_client.py', 'iron_cache', interpreters(sources)),
    ironGoClient(sources, workDir),
  ];
}

function scripts(folder, interpreter, files) {
  return Object.entries(files).map(([name, file]) => script(name, folder, interpreter, file));
}

function script(name, folder, [program, ...flags], file, ...args) {
  if (!succeeds(program, program === 'sh' ? ['-c', ':'] : ['--version'])) return { name, missing: program };
  return { name, command: [program, ...flags, join(here, folder, file), ...args] };
}

// The system's Python has the distribution's clients; others may have further ones, or other versions.
function interpreters(sources) {
  const found = ['/usr/bin/python3', 'python3', ...(sources ? [join(sources, 'venv/bin/python3')] : [])];
  return found.filter((program) => succeeds(program, ['--version']));
}

function pythonClients(sources) {
  const all = interpreters(sources);
  const programs = [
    ['pymemcache', 'pymemcache_client.py', 'pymemcache'],
    ['python-memcached', 'python_memcached_client.py', 'memcache'],
    ['pylibmc', 'pylibmc_client.py', 'pylibmc'],
  ];
  const newest = sources ? [join(sources, 'venv/bin/python3')] : [];
  return [
    ...programs.map(([name, file, module]) => pythonClient(name, file, module, all)),
    ...programs
      .filter(([, , module]) => newest.some((program) => succeeds(program, ['-c', `import ${module}`])))
      .map(([name, file, module]) => pythonClient(`${name} (--sources)`, file, module, newest)),
  ];
}

function pythonClient(name, file, module, programs) {
  // iron_cache counts on a module that requests loads.
  const probe = module === 'iron_cache' ? 'import requests, iron_cache' : `import ${module}`;
  const program = programs.find((candidate) => succeeds(candidate, ['-c', probe]));
  if (!program) return { name, missing: `the Python module ${module}` };
  // -B: leaves no compiled files beside the sources.
  return { name, command: [program, '-B', join(here, 'python', file)] };
}

function rubyClients(sources) {
  const checkouts = sources ? readdirSync(sources).filter((folder) => /^dalli(-|$)/.test(folder)) : [];
  return [
    script('Dalli', 'ruby', ['ruby'], 'dalli.rb'),
    ...checkouts.sort().map((folder) => script(`Dalli (${folder})`, 'ruby', ['ruby'], 'dalli.rb', folder)),
    script('memcache-client (Ruby)', 'ruby', ['ruby'], 'memcache_client.rb'),
  ];
}

// Built in GOPATH mode, so that neither a module file nor the network is needed.
function goMemcacheClients(workDir) {
  const modules = join(output('go', ['env', 'GOMODCACHE']) || homedir(), 'github.com', 'bradfitz');
  const cached = existsSync(modules) ? readdirSync(modules).filter((name) => /^gomemcache@/.test(name)) : [];
  const debian = '/usr/share/gocode/src/github.com/bradfitz/gomemcache';
  return [
    goClient('gomemcache', 'gomemcache', cached.length && join(modules, cached.sort().at(-1)), workDir),
    goClient('gomemcache (Debian)', 'gomemcache', existsSync(debian) && debian, workDir),
  ];
}

function ironGoClient(sources, workDir) {
  const checkout = sources && join(sources, 'iron_go3');
  return goClient('REST: iron_go3', 'iron_go3', existsSync(checkout) && checkout, workDir);
}

function goClient(name, program, library, workDir) {
  if (!succeeds('go', ['version'])) return { name, missing: 'go' };
  if (!library) return { name, missing: `the source of ${program}` };
  const path = join(workDir, name.replaceAll(/\W/g, '_'));
  const owner = join(path, 'src', 'github.com', program === 'iron_go3' ? 'iron-io' : 'bradfitz');
  mkdirSync(owner, { recursive: true });
  symlinkSync(library, join(owner, program));
  const binary = join(path, program);
  const build = ['build', '-o', binary, join(here, 'go', program, 'main.go')];
  const { status, stderr } = spawnSync('go', build, {
    env: { ...process.env, GO111MODULE: 'off', GOPATH: path, GOFLAGS: '' },
  });
  if (status !== 0) return { name, missing: `a build: ${String(stderr).trim().split('\n').at(-1)}` };
  const version = library.startsWith('/usr/share/')
    ? debianVersion('golang-github-bradfitz-gomemcache-dev')
    : '';
  return { name, command: [binary], version: version || (/@v[^-]+-(\d{8})/.exec(library)?.[1] ?? '') };
}

function javaClients() {
  const local = join(homedir(), '.m2/repository/net/spy/spymemcached');
  const versions = existsSync(local) ? readdirSync(local).filter((name) => /^\d/.test(name)) : [];
  const maven = versions.map((version) => [version, join(local, version, `spymemcached-${version}.jar`)]);
  const candidates = [...maven, ['Debian', '/usr/share/java/spymemcached.jar']];
  const found = candidates.filter(([, jar]) => existsSync(jar));
  const name = 'spymemcached';
  if (!succeeds('java', ['-version'])) return [{ name, missing: 'java' }];
  if (found.length === 0) return [{ name, missing: 'spymemcached.jar' }];
  return found.map(([version, jar]) => ({
    name: version === 'Debian' ? `${name} (Debian)` : name,
    command: ['java', '-cp', jar, join(here, 'java', 'Spymemcached.java')],
    version: version === 'Debian' ? debianVersion('libspymemcached-java') : version,
  }));
}

function debianVersion(name) {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the form that dpkg-query wants.
  return output('dpkg-query', ['-W', '-f', '${Version}', name]);
}

function succeeds(program, args) {
  return spawnSync(program, args, { stdio: 'ignore', timeout: 20_000 }).status === 0;
}

function output(program, args) {
  const { status, stdout } = spawnSync(program, args, { timeout: 20_000 });
  return status === 0 ? String(stdout).trim() : '';
}

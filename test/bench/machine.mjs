import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { delimiter, join } from 'node:path';
import { arch, platform } from 'node:process';

/** Is this program here? It is not started: webdis knows no --version, and would serve. @param {string} program */
export function has(program) {
  const directories = (process.env['PATH'] ?? '').split(delimiter);
  return directories.some((directory) => existsSync(join(directory, program)));
}

/** The first line a program prints about its version. @param {string} program @param {string} flag */
export function versionOf(program, flag) {
  const { stdout, stderr } = spawnSync(program, [flag], { encoding: 'utf8' });
  return `${stdout}${stderr}`.trim().split('\n')[0] ?? '';
}

export function describeMachine() {
  return {
    platform: `${platform} ${arch}`,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    node: process.version,
  };
}

/** How many files, sockets among them, a process may have open here. */
export function openFilesMax() {
  const limits = existsSync('/proc/self/limits') ? readFileSync('/proc/self/limits', 'latin1') : '';
  return Number(/^Max open files +\S+ +(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
}

/** How busy the machine is by others, to be asked before something is measured; then ask what it says. */
export function watchOthers() {
  const loadAverage = loadavg().map((load) => Math.round(load * 100) / 100);
  const before = cpuTicks();
  return () => {
    const after = cpuTicks();
    return { loadAverage, stolenShare: (after.stolen - before.stolen) / (after.all - before.all) };
  };
}

// The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal (what the hypervisor
// gave to others); further fields are counted in these.
function cpuTicks() {
  try {
    const fields = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0]?.split(/ +/).slice(1, 9) ?? [];
    const ticks = fields.map(Number);
    return { all: ticks.reduce((sum, count) => sum + count, 0), stolen: ticks[7] ?? 0 };
  } catch {
    return { all: 0, stolen: 0 };
  }
}

/**
 * The cores that servers and generators are kept on, one each, so that neither takes the other's time.
 * Undefined: this machine has but one, or no taskset.
 */
export const cores = has('taskset') ? twoCores() : undefined;

/** @param {'server' | 'generator'} role @param {string[]} command @returns {[string, string[]]} */
export function pinned(role, command) {
  const [program = '', ...rest] = cores ? ['taskset', '-c', String(cores[role]), ...command] : command;
  return [program, rest];
}

/**
 * Runs a generator to its end, on the generators' core, and gives what it printed.
 * @param {string[]} command @param {number} timeoutMs @returns {Promise<string>}
 */
export function runGenerator(command, timeoutMs) {
  const [program, args] = pinned('generator', command);
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    let output = '';
    let complaints = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      complaints += chunk;
    });
    child.on('error', reject);
    child.on('close', (status, signal) => {
      if (status === 0) resolve(output);
      else
        reject(
          new Error(
            `the generator ended with ${signal ?? `status ${status}`}: ${complaints.trim().slice(0, 500)}`,
          ),
        );
    });
  });
}

/** @param {number} pid */
export function residentBytes(pid) {
  return statusBytes(pid, 'VmRSS');
}

/** The most that was ever resident. @param {number} pid */
export function peakResidentBytes(pid) {
  return statusBytes(pid, 'VmHWM');
}

/** @param {number} pid @param {string} row */
function statusBytes(pid, row) {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'latin1');
    return Number(new RegExp(`^${row}:\\s+(\\d+)`, 'm').exec(text)?.[1]) * 1024;
  } catch {
    return 0;
  }
}

function twoCores() {
  const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '';
  const allowed = list.split(',').flatMap((range) => {
    const [from = 0, to = from] = range.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
  const [server, generator] = allowed;
  return server === undefined || generator === undefined ? undefined : { server, generator };
}

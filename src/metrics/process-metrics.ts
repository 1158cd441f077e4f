import { readdir } from 'node:fs/promises';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

// How often the event loop is looked at; Node adds it to every delay that it reports.
const RESOLUTION_MS = 10;

// These walk over every open connection without a pause.
const TOO_DEAR = [
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources',
  'nodejs_active_resources_total',
  'process_open_fds',
];

let registry: Registry | undefined;

/** What there is to know about this process, whatever runs in it: made when it is first asked for. */
export function processMetrics(): Registry {
  registry ??= makeRegistry();
  return registry;
}

function makeRegistry(): Registry {
  const made = new Registry();
  collectDefaultMetrics({ register: made });
  for (const name of TOO_DEAR) made.removeSingleMetric(name);
  // With the resolution in them, they would show a delay of 10 ms where there is none.
  for (const { name } of made.getMetricsAsArray()) {
    if (name.startsWith('nodejs_eventloop_lag')) made.removeSingleMetric(name);
  }
  openFiles(made);
  eventLoopDelay(made);
  eventLoopTime(made);
  return made;
}

function openFiles(made: Registry): void {
  if (process.platform !== 'linux') return;
  new Gauge({
    name: 'process_open_fds',
    help: 'Number of open file descriptors.',
    registers: [made],
    async collect() {
      this.set((await readdir('/proc/self/fd')).length - 1);
    },
  });
}

function eventLoopDelay(made: Registry): void {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  new Gauge({
    name: 'ironcached_event_loop_delay_seconds',
    help: 'How late the event loop was since the last scrape: at most in half of all cases (p50), in 99 % (p99), ever (max).',
    labelNames: ['statistic'],
    registers: [made],
    collect() {
      const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1e3);
      this.set({ statistic: 'p50' }, late(delays.percentile(50)));
      this.set({ statistic: 'p99' }, late(delays.percentile(99)));
      this.set({ statistic: 'max' }, late(delays.max));
      delays.reset();
    },
  });
}

function eventLoopTime(made: Registry): void {
  new Counter({
    name: 'ironcached_event_loop_seconds_total',
    help: 'Time that the event loop worked (active) or waited for work (idle); near 1 active second a second it is full.',
    labelNames: ['state'],
    registers: [made],
    collect() {
      const { active, idle } = performance.eventLoopUtilization();
      this.reset();
      this.inc({ state: 'active' }, active / 1000);
      this.inc({ state: 'idle' }, idle / 1000);
    },
  });
}

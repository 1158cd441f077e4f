import { performance } from 'node:perf_hooks';

type StopSignal = 'SIGTERM' | 'SIGINT';

/** npm, timeout and others pass a signal on that the terminal, or they themselves, sent to the whole group. */
const ECHO_MS = 500;

/** Calls `stop` once, with the first signal that asks for it, and `again` with further ones but for its echo. */
export function onStopSignals(stop: (signal: StopSignal) => void, again: (signal: StopSignal) => void): void {
  let first: { readonly signal: StopSignal; readonly at: number } | undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      const at = performance.now();
      if (!first) {
        first = { signal, at };
        stop(signal);
      } else if (signal !== first.signal || at - first.at >= ECHO_MS) again(signal);
    });
  }
}

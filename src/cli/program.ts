import { onStopSignals } from '../process/stop-signals.ts';
import { runRepair } from './repair.ts';
import { runCommand } from './run.ts';
import { runTransfer, STATUS_BY_SIGNAL } from './transfer/run.ts';
import { programOf } from './usage.ts';

/** Carries out whatever is asked for besides the service itself; gives the exit status. */
export function runProgram(args: readonly string[]): Promise<number> {
  const { stdin, stdout, stderr } = process;
  // Whether anybody reads what is said meanwhile changes nothing of what is done.
  stderr.on('error', () => {});
  const program = programOf(args);
  if (program === 'repair') return runRepair(args, { out: stdout, err: stderr });
  if (program !== 'transfer') return runCommand(args, { out: stdout, err: stderr });
  const interruption = new AbortController();
  onStopSignals(
    (signal) => interruption.abort(signal),
    (signal) => process.exit(STATUS_BY_SIGNAL[signal]),
  );
  // The end of a terminal, which is told once by the system and once more by a shell.
  process.on('SIGHUP', () => interruption.abort('SIGHUP'));
  return runTransfer(args, { in: stdin, out: stdout, err: stderr }, interruption.signal);
}

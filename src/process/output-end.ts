import { messageOf } from '../thrown.ts';

/** Ends the program once its output cannot be written: at once, and silently where the reader closed it. */
export function endWithOutput({ stdout, stderr }: Pick<NodeJS.Process, 'stdout' | 'stderr'>): void {
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') {
      stderr.write(
        `ironcached: the output cannot be written, but what was asked for is done: ${messageOf(error)}\n`,
      );
    }
    process.exit(1);
  });
}

import { Readable, Writable } from 'node:stream';
import { runTransfer } from '../../src/cli/transfer/run.ts';
import { overhear } from './overheard.ts';

export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

interface TransferOptions {
  readonly input?: string | Buffer;
  readonly isTerminal?: boolean;
  readonly signal?: AbortSignal;
  readonly out?: Writable;
  /** Told of what is written to standard error, as it is. */
  readonly onErr?: (text: string) => void;
}

/** Runs `ironcached dump …` or `ironcached load …` in this process. */
export async function transfer(args: readonly string[], options: TransferOptions = {}): Promise<Ran> {
  const { input = '', isTerminal = false, signal = new AbortController().signal } = options;
  const written: Buffer[] = [];
  let err = '';
  const out = new Writable({
    write: (chunk, _encoding, done) => {
      written.push(chunk);
      done();
    },
  });
  const status = await runTransfer(
    args,
    {
      in: Readable.from([Buffer.from(input)]),
      out: options.out ?? out,
      err: {
        isTTY: isTerminal,
        write: (text) => {
          err += text;
          options.onErr?.(text);
        },
      },
    },
    signal,
  );
  overhear('standard error', err);
  return { status, out: Buffer.concat(written).toString(), err };
}

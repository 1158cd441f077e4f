// npm run crash -- [rounds] [options]: kills the service again and again, and looks what is left.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HELP = `npm run crash -- [rounds] [options]

Starts the service, has clients change its items, kills it at a random moment, and compares what the next start
finds with what was acknowledged: as many rounds of that (100 unless given) for each way of keeping items.

options
  --mode TEXT   only modes with this in their names: always, everysec, no, snapshot
  --seed N      the same choices as a run before (the moments still differ)
  --help
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    mode: { type: 'string' },
    seed: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const rounds = Number(positionals[0] ?? 100);
if (values.help || !Number.isInteger(rounds) || rounds < 1) {
  process.stdout.write(HELP);
  process.exit(values.help ? 0 : 2);
}
const root = fileURLToPath(new URL('../..', import.meta.url));
const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
const only = values.mode === undefined ? [] : ['-t', values.mode];
const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/crash', ...only], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    CRASH_ROUNDS: String(rounds),
    ...(values.seed === undefined ? {} : { CRASH_SEED: values.seed }),
  },
});
process.exitCode = status ?? 1;

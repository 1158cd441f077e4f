// `npm start`: the program in this process, once it is compiled. Not two commands, since then a shell would be
// between npm and the program, which passes no signals on; and no `prestart`, which npm leaves out where
// ignore-scripts is set, and `node --run` always.

// Whoever started this, asked before all else: it may be gone by when the program has begun.
const shell = process.ppid;

await import('./prepare.mjs');
await import('../dist/main.js');

// npm passes a signal on to the shell alone that it starts this by, and Debian's ends without a word to its child:
// the service would stay, and keep its ports.
if (process.env.npm_lifecycle_event) {
  const look = setInterval(() => {
    if (process.ppid !== shell) process.kill(process.pid, 'SIGTERM');
  }, 200).unref();
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => clearInterval(look));
}

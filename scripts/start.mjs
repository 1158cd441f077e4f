// `npm start`: the program in this process, once it is compiled. Not two commands, since then a shell would be
// between npm and the program, which passes no signals on; and no `prestart`, which npm leaves out where
// ignore-scripts is set, and `node --run` always.
import './prepare.mjs';

await import('../dist/main.js');

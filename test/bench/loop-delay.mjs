// Loaded into a server that is measured: tells, on a port of its own, how late its event loop was since it was
// last asked, in milliseconds. What else the machine does at a time counts as well.
import { createServer } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const port = Number(process.env['LOOP_DELAY_PORT']);
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
createServer((socket) => {
  socket.end(
    JSON.stringify({
      max: delay.max / 1e6,
      p99: delay.percentile(99) / 1e6,
      p50: delay.percentile(50) / 1e6,
    }),
  );
  delay.reset();
})
  .listen(port, '127.0.0.1')
  .unref();

// Stands in for wrk where it is missing: GETs or PUTs of many items over keep-alive sockets, one request in
// flight on each. Arguments as for wrk.lua, then port and seconds. Prints the same line of JSON.
import { connect } from 'node:net';

const [method = 'GET', path, token, keys, bytes, port, seconds] = process.argv.slice(2);
const CONNECTIONS = 50;
const body = method === 'PUT' ? `{"value":"${'v'.repeat(Number(bytes))}"}` : '';
const bodyHeaders = body ? `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n` : '';
const requests = Array.from({ length: Number(keys) }, (_, i) => {
  const key = `key-${String(i).padStart(8, '0')}`;
  const head = `${method} ${path}/${key} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: OAuth ${token}\r\n`;
  return Buffer.from(`${head}${bodyHeaders}\r\n${body}`);
});
/** @type {number[]} */
const latencies = [];
let wrong = 0;
let received = 0;
let next = 0;
const start = performance.now();
const end = start + Number(seconds) * 1000;

await Promise.all(Array.from({ length: CONNECTIONS }, runClient));
const took = (performance.now() - start) / 1000;
const sorted = latencies.sort((a, b) => a - b);
const percentile = (/** @type {number} */ share) =>
  Math.round((sorted[Math.floor(share * (sorted.length - 1))] ?? 0) * 10_000) / 10;
process.stdout.write(
  `${JSON.stringify({
    requests: sorted.length,
    seconds: took,
    requestsPerSecond: sorted.length / took,
    wrong,
    bytes: received,
    p50: percentile(0.5),
    p90: percentile(0.9),
    p99: percentile(0.99),
    p999: percentile(0.999),
    max: percentile(1),
  })}\n`,
);

/** @returns {Promise<void>} */
function runClient() {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true });
    let sentAt = 0;
    let input = Buffer.alloc(0);
    const send = () => {
      sentAt = performance.now();
      socket.write(requests[next++ % requests.length] ?? '');
    };
    socket.on('error', reject);
    socket.on('connect', send);
    socket.on('data', (chunk) => {
      received += chunk.length;
      input = input.length === 0 ? chunk : Buffer.concat([input, chunk]);
      const head = input.indexOf('\r\n\r\n');
      if (head < 0) return;
      const text = input.toString('latin1', 0, head);
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (input.length < head + 4 + length) return;
      if (!text.startsWith('HTTP/1.1 200')) wrong++;
      const now = performance.now();
      latencies.push(now - sentAt);
      input = Buffer.alloc(0);
      if (now < end) send();
      else {
        socket.end();
        resolve();
      }
    });
  });
}

// Exits with 0 when the service in this container answers GET /health/ready: the image has no curl.
// Reads the variables that the service reads; of flags it knows nothing.
import http from 'node:http';
import https from 'node:https';

const { IRONCACHED_HTTP_HOST, IRONCACHED_HTTP_PORT, IRONCACHED_TLS_CERT } = process.env;
const everyAddress = ['', '0.0.0.0', '::'].includes(IRONCACHED_HTTP_HOST ?? '');

const request = (IRONCACHED_TLS_CERT ? https : http).get({
  host: everyAddress ? '127.0.0.1' : IRONCACHED_HTTP_HOST,
  port: IRONCACHED_HTTP_PORT || 8080,
  path: '/health/ready',
  timeout: 3000,
  // Whether it is ready is the question here, not who it is: its certificate may name any host.
  rejectUnauthorized: false,
});
request.on('response', ({ statusCode }) =>
  finish(statusCode === 200, `GET /health/ready answered ${statusCode}`),
);
request.on('timeout', () => finish(false, 'GET /health/ready got no answer within 3 seconds'));
request.on('error', ({ message }) => finish(false, message));

// Docker keeps the text: `docker inspect` shows it.
function finish(healthy, text) {
  process.stdout.write(`${text}\n`, () => process.exit(healthy ? 0 : 1));
}

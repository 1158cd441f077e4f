import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { inOrder } from '../../src/http/pipelining.ts';

const REQUESTS = 20_000;
/** Those of one chunk of 64 KB are read in any case, and another may be on its way. */
const READ_AT_ONCE_MAX = 1_000;

test.each(['GET', 'POST'])(
  'of very many %s requests at once few are read, and all are answered',
  async (method) => {
    const waiting: ServerResponse[] = [];
    let mayAnswer = false;
    let begun = 0;
    let read = 0;
    const listener = inOrder((_request, response) => {
      begun++;
      if (mayAnswer) response.end();
      else waiting.push(response);
    }, 1_000_000);
    const server = createServer((request, response) => {
      read++;
      listener(request, response);
    });
    onTestFinished(() => void server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    let received = '';
    client.setEncoding('latin1').on('data', (text: string) => {
      received += text;
    });
    const answers = () => received.split('HTTP/1.1 200 OK').length - 1;
    const request = `${method} / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nX-Padding: ${'x'.repeat(150)}\r\n\r\n`;
    client.write(request.repeat(REQUESTS));
    for (let before = -1; read === 0 || read !== before; await delay(100)) before = read;
    expect(read).toBeLessThan(READ_AT_ONCE_MAX);
    // The first, and one GET ahead of its turn: how much will wait of an answer that is made later, nobody knows.
    expect(begun).toBe(method === 'GET' ? 2 : 1);
    mayAnswer = true;
    for (const response of waiting) response.end();
    while (answers() < REQUESTS) await delay(20);
    expect([begun, read, answers()]).toEqual([REQUESTS, REQUESTS, REQUESTS]);
    client.destroy();
  },
);

import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Batch, WAITING_BYTES_MAX, type Waiting } from '../../src/memcached/batch.ts';
import { testDoor } from '../support/memcached-door.ts';

function waiting(answerWaiting: (startedAt: number) => number): Waiting {
  return { answerWaiting, leave: () => undefined };
}

/** Notes what it was asked to do, in order. */
function diary(batch: Batch) {
  const noted: string[] = [];
  const note = (what: string) => (startedAt: number) => {
    noted.push(what);
    return startedAt;
  };
  return {
    noted,
    answer: (what: string, requests = 1) => batch.answerSoon(waiting(note(what)), requests),
    send: (what: string) => batch.sendSoon({ leave: () => note(what)(0) }),
  };
}

test('makes all answers at the end of the turn, then sends, in order', async () => {
  const batch = new Batch();
  const { noted, answer, send } = diary(batch);
  send('send 1');
  answer('answer 1');
  answer('answer 2');
  send('send 2');
  expect(noted).toEqual([]);
  await nextTurn();
  expect(noted).toEqual(['answer 1', 'answer 2', 'send 1', 'send 2']);
  answer('answer 3');
  await nextTurn();
  expect(noted.slice(4)).toEqual(['answer 3']);
});

test('makes answers at once for 16 clients, or for 32 requests, and sends when 16 wait', () => {
  const batch = new Batch();
  const { noted, answer, send } = diary(batch);
  for (let i = 1; i <= 17; i++) answer(`${i}`);
  expect(noted.length).toBe(16);
  answer('many', 31);
  expect(noted.slice(16)).toEqual(['17', 'many']);
  for (let i = 1; i <= 17; i++) send(`${i}`);
  expect(noted.length).toBe(34);
});

test('what is to be sent while others are sent has its turn, too', async () => {
  const batch = new Batch();
  const sent: string[] = [];
  const second = { leave: () => sent.push('second') };
  batch.sendSoon({
    leave: () => {
      sent.push('first');
      batch.sendSoon(second);
    },
  });
  await nextTurn();
  await nextTurn();
  expect(sent).toEqual(['first', 'second']);
});

test('answers begin one after the other, where the one before ended', async () => {
  const batch = new Batch();
  const begun: number[] = [];
  for (let i = 0; i < 3; i++) {
    const client = waiting((startedAt) => {
      begun.push(startedAt);
      return startedAt + 5;
    });
    batch.answerSoon(client, 1);
  }
  await nextTurn();
  const [first = 0] = begun;
  expect(begun).toEqual([first, first + 5, first + 10]);
});

test('what waits stays as it was until it is answered', async () => {
  const batch = new Batch();
  const chunk = Buffer.alloc(WAITING_BYTES_MAX);
  const answered: string[] = [];
  // More than there is room for: then what waits is answered first.
  for (let i = 0; i < 40; i++) {
    chunk.fill(`${i % 10}`);
    const start = batch.keep(chunk, chunk.length);
    const client = waiting((startedAt) => {
      answered.push(batch.bytes.toString('latin1', start, start + WAITING_BYTES_MAX));
      return startedAt;
    });
    batch.answerSoon(client, 0);
  }
  await nextTurn();
  expect(answered).toEqual(Array.from({ length: 40 }, (_, i) => `${i % 10}`.repeat(WAITING_BYTES_MAX)));
});

test('what cannot be answered leaves the room for others', () => {
  const batch = new Batch();
  const chunk = Buffer.alloc(WAITING_BYTES_MAX, 'x');
  for (let i = 0; i < 100; i++) batch.keep(chunk, chunk.length);
  const start = batch.keep(chunk, chunk.length);
  expect(batch.bytes.subarray(start, start + chunk.length)).toEqual(chunk);
});

test('many clients that ask at once each have their own answers, in order', async () => {
  const door = await testDoor();
  const clients = await Promise.all(Array.from({ length: 50 }, () => door.signedIn()));
  for (let round = 0; round < 20; round++) {
    for (const [i, client] of clients.entries()) {
      const value = `${i}-${round}`.padEnd(round % 5 === 0 ? 20_000 : 10, '.');
      client.send(`set k${i} 0 0 ${value.length}\r\n${value}\r\nget k${i}\r\nmn\r\n`);
    }
    for (const [i, client] of clients.entries()) {
      const value = `${i}-${round}`.padEnd(round % 5 === 0 ? 20_000 : 10, '.');
      expect(await client.takeThrough('MN\r\n')).toBe(
        `STORED\r\nVALUE k${i} 0 ${value.length}\r\n${value}\r\nEND\r\nMN\r\n`,
      );
    }
  }
});

test('a client that ends its side right after its commands has its answers, and one that is gone disturbs nobody', async () => {
  const door = await testDoor();
  const others = await Promise.all(Array.from({ length: 5 }, () => door.signedIn()));
  for (let round = 0; round < 20; round++) {
    const [ending, leaving] = [await door.signedIn(), await door.signedIn()];
    for (const other of others) other.send('mn\r\n');
    ending.socket.end(`set ended${round} 0 0 1\r\na\r\nmn\r\n`);
    leaving.send(`set left${round} 0 0 1\r\nb\r\n`);
    leaving.socket.resetAndDestroy();
    expect(await ending.rest()).toBe('STORED\r\nMN\r\n');
    for (const other of others) expect(await other.takeThrough('MN\r\n')).toBe('MN\r\n');
  }
  others[0]?.send('get ended19\r\nmn\r\n');
  expect(await others[0]?.takeThrough('MN\r\n')).toBe('VALUE ended19 0 1\r\na\r\nEND\r\nMN\r\n');
  expect(door.logged).toEqual([]);
});

test('commands that come in several small pieces within a turn are answered in order', async () => {
  const door = await testDoor();
  const client = await door.signedIn();
  client.socket.setNoDelay(true);
  for (const piece of ['set a 0 0 5\r\nhe', 'llo\r\nge', 't a\r\n', 'delete a\r\nget a\r\nmn\r\n'])
    client.send(piece);
  expect(await client.takeThrough('MN\r\n')).toBe(
    'STORED\r\nVALUE a 0 5\r\nhello\r\nEND\r\nDELETED\r\nEND\r\nMN\r\n',
  );
});

import { describe, expect, test } from 'vitest';
import type { Bytes, MemcachedClient } from './memcached-client.ts';
import { type Door, type DoorOptions, testDoor } from './memcached-door.ts';

/** What a client sends and what it gets for it, or time that passes in between. */
type Step = readonly [sent: Bytes, expected: Bytes] | { readonly passMs: number };

interface TranscriptOptions extends DoorOptions {
  /** Play it to a connection that has not signed in. */
  readonly unsigned?: boolean;
  /** Does the server close the connection in the end? */
  readonly closes?: boolean;
}

type Way = (client: MemcachedClient, steps: readonly Step[], door: Door) => Promise<void>;

const WAYS: Record<string, Way> = {
  'as written': playWhole,
  'byte by byte': playBytewise,
  pipelined: playPipelined,
};

/** Plays a transcript to a live listener of its own, in each way in which bytes may come. */
export function transcript(name: string, steps: readonly Step[], options: TranscriptOptions = {}): void {
  describe(name, () => {
    for (const [way, play] of Object.entries(WAYS)) {
      test(way, async () => {
        const door = await testDoor(options);
        const client = options.unsigned ? await door.connect() : await door.signedIn();
        await play(client, steps, door);
        if (options.closes) expect(await client.rest()).toBe('');
        else expect(await client.ask('mn\r\n')).toBe('MN\r\n');
      });
    }
  });
}

async function playWhole(client: MemcachedClient, steps: readonly Step[], door: Door): Promise<void> {
  for (const step of steps) {
    if ('passMs' in step) door.clock.advance(step.passMs);
    else {
      client.send(step[0]);
      await expectAnswer(client, step[1]);
    }
  }
}

async function playBytewise(client: MemcachedClient, steps: readonly Step[], door: Door): Promise<void> {
  for (const step of steps) {
    if ('passMs' in step) door.clock.advance(step.passMs);
    else {
      await client.sendByteByByte(step[0]);
      await expectAnswer(client, step[1]);
    }
  }
}

// Everything between two passages of time in one write.
async function playPipelined(client: MemcachedClient, steps: readonly Step[], door: Door): Promise<void> {
  let sent = '';
  let expected = '';
  const play = async () => {
    if (sent !== '') client.send(sent);
    await expectAnswer(client, expected);
    sent = '';
    expected = '';
  };
  for (const step of steps) {
    if ('passMs' in step) {
      await play();
      door.clock.advance(step.passMs);
    } else {
      sent += step[0];
      expected += step[1];
    }
  }
  await play();
}

async function expectAnswer(client: MemcachedClient, expected: Bytes): Promise<void> {
  expect(await client.take(expected.length)).toBe(expected);
}

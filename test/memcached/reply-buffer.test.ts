import { expect, test } from 'vitest';
import { ReplyBuffer, ReplyRoom } from '../../src/memcached/reply-buffer.ts';

test('gathers texts and bytes into one write', () => {
  const buffer = new ReplyBuffer(new ReplyRoom());
  buffer.text('VALUE k\xff 0 3\r\n');
  buffer.value(keptValue(Buffer.from('abc')));
  buffer.text(`\r\n${'x'.repeat(50)}`);
  const written: string[] = [];
  buffer.flush((bytes) => written.push(bytes.toString('latin1')) > 0);
  expect(written).toEqual([`VALUE k\xff 0 3\r\nabc\r\n${'x'.repeat(50)}`]);
  expect(buffer.length).toBe(0);
});

test('writes nothing when there is nothing', () => {
  const buffer = new ReplyBuffer(new ReplyRoom());
  buffer.flush(() => {
    throw new Error('nothing to write');
  });
  buffer.text('a');
  buffer.discard();
  expect(buffer.length).toBe(0);
});

test('grows for what is larger than its room', () => {
  const buffer = new ReplyBuffer(new ReplyRoom());
  const value = keptValue(Buffer.alloc(1_000_000, 'v'));
  buffer.text('head');
  buffer.value(value);
  buffer.value(value);
  buffer.flush((bytes) => {
    expect(bytes.length).toBe(2_000_004);
    expect(bytes.toString('latin1', 0, 6)).toBe('headvv');
    return true;
  });
});

test('does not write over bytes that the socket still needs', () => {
  const buffer = new ReplyBuffer(new ReplyRoom());
  const kept: Buffer[] = [];
  buffer.text('first');
  buffer.flush((bytes) => {
    kept.push(bytes);
    return false;
  });
  buffer.text('other');
  buffer.flush(() => true);
  expect(kept.map(String)).toEqual(['first']);
});

test('lends the room of one session to the next', () => {
  const room = new ReplyRoom();
  const places = [0, 1].map(() => {
    const buffer = new ReplyBuffer(room);
    buffer.text('a');
    let place: ArrayBufferLike | undefined;
    buffer.flush((bytes) => {
      place = bytes.buffer;
      return true;
    });
    return place;
  });
  expect(places[0]).toBe(places[1]);
});

function keptValue(value: Buffer): Parameters<ReplyBuffer['value']>[0] {
  return {
    valueLength: value.length,
    copyValue: (target, at) => {
      value.copy(target, at);
    },
  };
}

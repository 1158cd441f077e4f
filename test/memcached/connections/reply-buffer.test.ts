import { expect, test } from 'vitest';
import { BufferPool } from '../../../src/memcached/connections/buffer-pool.ts';
import { ReplyBuffer } from '../../../src/memcached/connections/reply-buffer.ts';

test('gathers texts and bytes into one write', () => {
  const buffer = new ReplyBuffer(new BufferPool());
  buffer.text('VALUE k\xff 0 3\r\n');
  buffer.value(keptValue(Buffer.from('abc')));
  buffer.text(`\r\n${'x'.repeat(50)}`);
  const written: string[] = [];
  buffer.flush((bytes) => written.push(bytes.toString('latin1')) > 0);
  expect(written).toEqual([`VALUE k\xff 0 3\r\nabc\r\n${'x'.repeat(50)}`]);
  expect(buffer.length).toBe(0);
});

test('writes nothing when there is nothing', () => {
  const buffer = new ReplyBuffer(new BufferPool());
  buffer.flush(() => {
    throw new Error('nothing to write');
  });
  buffer.text('a');
  buffer.discard();
  expect(buffer.length).toBe(0);
});

test('grows for what is larger than its room', () => {
  const buffer = new ReplyBuffer(new BufferPool());
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

test('does not write over bytes before the socket has them', () => {
  const buffer = new ReplyBuffer(new BufferPool());
  const kept: Buffer[] = [];
  let tellTaken = () => {};
  buffer.text('first');
  buffer.flush((bytes, taken) => {
    kept.push(bytes);
    tellTaken = taken;
    return false;
  });
  buffer.text('other');
  buffer.flush(() => true);
  expect(kept.map(String)).toEqual(['first']);
  tellTaken();
  buffer.text('third');
  buffer.flush(() => true);
  expect(kept.map(String)).toEqual(['third']);
});

test('lends the room of one session to the next, for large replies as for small ones', () => {
  const pool = new BufferPool();
  for (const length of [1, 1_000_000]) {
    const places = new Set<ArrayBufferLike>();
    for (let i = 0; i < 3; i++) {
      const buffer = new ReplyBuffer(pool);
      buffer.value(keptValue(Buffer.alloc(length)));
      buffer.flush((bytes) => {
        places.add(bytes.buffer);
        return true;
      });
    }
    expect(places.size).toBe(1);
  }
});

function keptValue(value: Buffer): Parameters<ReplyBuffer['value']>[0] {
  return {
    valueLength: value.length,
    copyValue: (target, at) => {
      value.copy(target, at);
    },
  };
}

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FRAME_HEADER_BYTES } from '../../src/durability/frame.ts';
import { FrameBufferPool } from '../../src/durability/frame-buffer-pool.ts';
import { type RecordListener, readRecords } from '../../src/durability/record-reader.ts';
import { RecordWriter } from '../../src/durability/record-writer.ts';
import { type Draft, NEVER } from '../../src/engine/item.ts';
import { KeyBytes } from '../../src/engine/key.ts';
import { wholeFrom } from '../../src/engine/whole.ts';

const SECOND_MS = 1000;

/** As a text, or as bytes among others. */
const key = fc
  .tuple(fc.uint8Array({ minLength: 1, maxLength: 250 }), fc.option(fc.integer({ min: 0, max: 9 })))
  .map(([bytes, start]) => {
    const text = Buffer.from(bytes).toString('latin1');
    if (start === null) return text;
    const around = Buffer.alloc(start + bytes.length + 1, 'around');
    around.set(bytes, start);
    return new KeyBytes(around, start, bytes.length);
  });
const number = fc.integer({ min: 1, max: 2 ** 32 - 1 });
const cas = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(wholeFrom);
const time = fc.oneof(fc.constant(NEVER), fc.integer({ min: 1, max: 2 ** 43 }));
const marks = fc.record({
  expiresAt: time,
  cas,
  stale: fc.boolean(),
  recaching: fc.boolean(),
  fetched: fc.boolean(),
});
const accessedAt = fc.integer({ min: 1, max: 2 ** 32 - 1 }).map((seconds) => seconds * SECOND_MS);
const draft = fc
  .tuple(
    marks,
    fc.record({
      value: fc.oneof(
        fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
        fc.constantFrom(1_000, 524_000, 524_288, 600_000).map((length) => Buffer.alloc(length, 'value')),
      ),
      kind: fc.constantFrom('bytes', 'text', 'number', 'json'),
      flags: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
    }),
  )
  .map(([about, value]) => ({ ...value, ...about }) as Draft);
const text = fc.string({ unit: 'grapheme', maxLength: 250 });

/** A call of the writer, and what the reader is to tell of it. */
const call = fc.oneof(
  fc
    .record({ number, id: text, projectId: text, name: text })
    .map((description) => ['cache', description] as const),
  fc.tuple(number, key, draft, accessedAt).map((args) => ['put', ...args] as const),
  fc
    .tuple(number, key, marks, accessedAt)
    .map(
      ([cache, name, about, accessed]) =>
        ['amended', cache, name, { ...about, accessedAt: accessed }] as const,
    ),
  fc.tuple(number, key).map((args) => ['removed', ...args] as const),
  number.map((cache) => ['cleared', cache] as const),
  number.map((cache) => ['deleted', cache] as const),
  fc.tuple(number, fc.integer({ min: 1, max: 2 ** 43 })).map((args) => ['clearPlanned', ...args] as const),
  fc.constant(['complete'] as const),
);

type Call = [name: keyof RecordListener, ...args: unknown[]];

function listener(told: Call[]): RecordListener {
  const note =
    (name: keyof RecordListener) =>
    (...args: unknown[]) =>
      void told.push([name, ...args.map(copied)]);
  return {
    cache: note('cache'),
    put: note('put'),
    amended: note('amended'),
    removed: note('removed'),
    cleared: note('cleared'),
    clearPlanned: note('clearPlanned'),
    deleted: note('deleted'),
    complete: note('complete'),
  };
}

// Keys and values are views of the frame; and strings are compared much faster.
function copied(arg: unknown): unknown {
  if (arg instanceof KeyBytes) return String(arg);
  if (typeof arg !== 'object' || arg === null || !('value' in arg)) return arg;
  return { ...arg, value: (arg.value as Buffer).toString('latin1') };
}

test('records are read as they were written, in any order, of any size, also over several frames', () => {
  fc.assert(
    fc.property(fc.array(call, { maxLength: 20 }), (calls) => {
      const buffers = new FrameBufferPool();
      const frames: Buffer[] = [];
      const writer = new RecordWriter({ buffers, full: (frame) => frames.push(frame), begun: () => 0 });
      for (const [name, ...args] of calls as unknown as Call[]) {
        (writer[name] as (...args: unknown[]) => void)(...args);
      }
      const last = writer.take();
      if (last) frames.push(last);
      const told: Call[] = [];
      for (const frame of frames) readRecords(frame.subarray(FRAME_HEADER_BYTES), listener(told));
      expect(told).toEqual((calls as unknown as Call[]).map((each) => each.map(copied)));
    }),
    { numRuns: 100 },
  );
});

test('times are written as the machine’s clock has them', () => {
  const writer = new RecordWriter({ buffers: new FrameBufferPool(), full: () => {}, begun: () => 5_000 });
  writer.put(1, 'k', { value: Buffer.from('v'), kind: 'text', flags: 0, cas: 1, expiresAt: 10_000 }, 1_000);
  writer.clearPlanned(1, 20_000);
  const told: Call[] = [];
  readRecords((writer.take() ?? Buffer.alloc(0)).subarray(FRAME_HEADER_BYTES), listener(told));
  expect(told).toMatchObject([
    ['put', 1, 'k', { expiresAt: 15_000 }, 6_000],
    ['clearPlanned', 1, 25_000],
  ]);
});

test('bytes that are no records are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
      const told: Call[] = [];
      try {
        readRecords(Buffer.from(bytes), listener(told));
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
  );
});

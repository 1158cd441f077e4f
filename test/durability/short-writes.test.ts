import { readFileSync, write } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { ItemDirectory } from '../../src/durability/item-directory.ts';
import { temporaryDirectory } from '../support/service.ts';

vi.mock('node:fs', async (actual) => {
  const fs = await actual<typeof import('node:fs')>();
  return { ...fs, write: vi.fn(fs.write) };
});

test('all is written where the system takes a part at a time, as when the disk is almost full', async () => {
  const { write: writeSome } = await vi.importActual<typeof import('node:fs')>('node:fs');
  vi.mocked(write).mockImplementation(((
    fd: number,
    bytes: Buffer,
    from: number,
    length: number,
    at: number,
    done: () => void,
  ) => writeSome(fd, bytes, from, Math.min(length, 3), at, done)) as unknown as typeof write);
  const directory = await ItemDirectory.open(temporaryDirectory());
  const log = { generation: 1, kind: 'log' } as const;
  const file = await directory.create(log);
  await file.write(Buffer.from('begun: '), 0);
  await file.write(Buffer.from('all of it'), 7);
  await file.close();
  expect(readFileSync(directory.pathOf(log), 'latin1')).toBe('begun: all of it');
});

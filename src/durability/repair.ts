import { rename } from 'node:fs/promises';
import { FILE_HEADER_BYTES, formatFileHeader, newFileHeader } from './file-header.ts';
import { FRAME_HEADER_BYTES, sealFrame } from './frame.ts';
import type { GenerationFile, ItemDirectory, LogFile } from './item-directory.ts';
import { LogReader } from './log-reader.ts';
import { COMPLETE, START_BYTES } from './record-layout.ts';

// A record that says that everything is in the file: its type, and zeros.
const COMPLETE_BODY = Buffer.alloc(START_BYTES).fill(COMPLETE, 0, 1);

/** What a repair found. */
interface Repaired {
  /** The file that everything readable was written to. */
  readonly file: string;
  readonly bytesRead: number;
  readonly bytesLost: number;
  /** Where the files are that were there before. */
  readonly kept: readonly string[];
}

/**
 * Writes what is readable of all files into a new one, which takes their place; they are kept beside it, as
 * `.damaged`. Rejects with StartError where another process has the directory. Undefined: there are no files.
 */
export async function repair(directory: ItemDirectory): Promise<Repaired | undefined> {
  await directory.take();
  try {
    const found = await directory.list();
    // What a repair left that did not come to its end says again, after all others, what the first of them said.
    await directory.remove(found.filter(({ kind }) => kind === 'repair'));
    const files = found.filter(({ kind }) => kind !== 'repair');
    const last = files.at(-1);
    return last && (await new Salvage(directory, files, last.generation + 1).run());
  } finally {
    await directory.release();
  }
}

class Salvage {
  readonly #directory: ItemDirectory;
  readonly #files: readonly GenerationFile[];
  readonly #generation: number;
  #sequence = 1;
  #nextCas = 0;
  #begunAt = 0;
  #at = FILE_HEADER_BYTES;
  #bytesRead = 0;
  #bytesLost = 0;

  constructor(directory: ItemDirectory, files: readonly GenerationFile[], generation: number) {
    this.#directory = directory;
    this.#files = files;
    this.#generation = generation;
  }

  async run(): Promise<Repaired> {
    const unfinished = { generation: this.#generation, kind: 'repair' } as const;
    const finished = { generation: this.#generation, kind: 'base' } as const;
    const header = newFileHeader(this.#generation, this.#sequence);
    const target = await this.#directory.create(unfinished);
    try {
      await target.write(formatFileHeader(header), 0);
      for (const file of await this.#notSuperseded()) await this.#copy(file, target, header.marker);
      await this.#write(target, COMPLETE_BODY, { begunAt: this.#begunAt, marker: header.marker });
      await target.sync();
    } finally {
      await target.close();
    }
    await this.#directory.giveToOwnerOf(this.#files.at(-1) as GenerationFile, unfinished);
    await this.#directory.rename(unfinished, finished);
    const kept = await this.#putAside();
    const file = this.#directory.pathOf(finished);
    return { file, bytesRead: this.#bytesRead, bytesLost: this.#bytesLost, kept };
  }

  // An intact base takes the place of the files before it: what they tell may have been deleted since.
  async #notSuperseded(): Promise<readonly GenerationFile[]> {
    for (let i = this.#files.length - 1; i > 0; i--) {
      const file = this.#files[i] as GenerationFile;
      if (file.kind === 'base' && (await isWhole(this.#directory.pathOf(file)))) return this.#files.slice(i);
    }
    return this.#files;
  }

  async #copy(file: GenerationFile, target: LogFile, marker: Buffer): Promise<void> {
    const reader = await LogReader.open(this.#directory.pathOf(file));
    const before = this.#bytesRead;
    try {
      // Without its marker nothing of a file can be told from what clients stored.
      if (typeof reader.header === 'string') return;
      for (let frame = await reader.search(); frame; frame = await reader.search()) {
        this.#nextCas = Math.max(this.#nextCas, frame.nextCas);
        this.#begunAt = frame.begunAt;
        this.#bytesRead += FRAME_HEADER_BYTES + frame.body.length;
        await this.#write(target, frame.body, { begunAt: frame.begunAt, marker });
      }
    } finally {
      const header = typeof reader.header === 'string' ? 0 : FILE_HEADER_BYTES;
      this.#bytesLost += reader.size - header - (this.#bytesRead - before);
      await reader.close();
    }
  }

  async #write(target: LogFile, body: Buffer, about: { begunAt: number; marker: Buffer }): Promise<void> {
    const frame = Buffer.concat([Buffer.alloc(FRAME_HEADER_BYTES), body]);
    const sequence = this.#sequence++;
    const { begunAt, marker } = about;
    sealFrame(frame, marker, { sequence, begunAt, nextCas: this.#nextCas, kept: sequence });
    await target.write(frame, this.#at);
    this.#at += frame.length;
  }

  async #putAside(): Promise<string[]> {
    const kept: string[] = [];
    for (const file of this.#files) {
      const path = this.#directory.pathOf(file);
      await rename(path, `${path}.damaged`);
      kept.push(`${path}.damaged`);
    }
    return kept;
  }
}

async function isWhole(path: string): Promise<boolean> {
  const reader = await LogReader.open(path);
  try {
    if (typeof reader.header === 'string') return false;
    while (await reader.next());
    return reader.offset === reader.size;
  } finally {
    await reader.close();
  }
}

import { performance } from 'node:perf_hooks';
import { type Clock, clockSet, type Moment } from '../engine/clock.ts';
import type { CommitGate } from '../engine/commit-gate.ts';
import type { JournaledStore } from '../engine/journal.ts';
import { StartError } from '../start-error.ts';
import { messageOf } from '../thrown.ts';
import type { DurabilityLogger } from './durability-logger.ts';
import type { GenerationFile, ItemDirectory } from './item-directory.ts';
import { ItemJournal } from './item-journal.ts';
import type { Fsync } from './log-writer.ts';
import { type Progress, type Restored, restore, tellProgress } from './restore.ts';
import { removeSuperseded } from './superseded.ts';
import { walk } from './walk.ts';

export interface DurabilityParts {
  readonly directory: ItemDirectory;
  readonly store: JournaledStore;
  readonly clock: Clock & Moment;
  readonly log: DurabilityLogger;
  /** Keep every change (log), or everything now and then (snapshot)? */
  readonly mode: 'log' | 'snapshot';
  readonly fsync: Fsync;
  /** Between two snapshots; 0: only when the service stops. */
  readonly snapshotIntervalMs: number;
  /** What the files may grow beyond twice what all items took when they were last written. */
  readonly compactionBytesMin: number;
  readonly unwrittenBytesMax: number;
}

const PROGRESS_INTERVAL_MS = 1_000;
// How often to look whether the files should be written anew.
const LOOK_INTERVAL_MS = 1_000;
// When the machine's clock is set by more, they should be: the times in them are by what it said before.
const CLOCK_SET_MS = 10_000;
// After how long what could not be written anew is tried again: each time may leave a file as large as all items.
const SAVE_AGAIN_MS = 60_000;
// More files than this take too long to read at a start, however small they are.
const FILES_MAX = 16;
// Starts that end soon, over and over, leave one each: beyond this many they are written anew before the start is over.
const FILES_AT_START_MAX = 100;

/** Keeps the items of a store in a directory, and puts them back after a restart. */
export class Durability {
  readonly #parts: DurabilityParts;
  #progress: Progress | undefined;
  #restoreMs = 0;
  /** Writes changes, or the snapshot that is being made. */
  #journal: ItemJournal | undefined;
  #generation = 0;
  #sequence = 0;
  /** The size of all files but the one that is being written. */
  #otherBytes = 0;
  #files = 0;
  #clockSet = 0;
  #baseBytes = 0;
  #savedAt: number | undefined;
  #savedMs = 0;
  #failures = 0;
  #saving: Promise<void> | undefined;
  /** When the files are to be written anew that could not be; undefined: they could. */
  #saveAgainAt: number | undefined;
  /** Who waits for a snapshot that begins from now on. */
  #waiters: ((isKept: boolean) => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Until everything is restored, nothing may take the place of the files. */
  #isRunning = false;
  #isStopping = false;
  #isStopped = false;

  private constructor(parts: DurabilityParts) {
    this.#parts = parts;
  }

  /** Takes the directory for this process. Rejects with StartError where another has it. */
  static async open(parts: DurabilityParts): Promise<Durability> {
    const lock = await parts.directory.take();
    if (!lock?.isKnownElsewhere) {
      const where = lock ? ' in another container or on another machine' : '';
      const message = `nothing keeps a second process${where} off this directory: it can hold no sockets`;
      parts.log.warn({ directory: parts.directory.path }, message);
    }
    return new Durability(parts);
  }

  /** How far items are restored; undefined: that is over, or has not begun. */
  get progress(): Progress | undefined {
    return this.#progress;
  }

  /** Lets answers leave; undefined: nothing ever holds them back. */
  get gate(): CommitGate | undefined {
    return this.#parts.mode === 'log' ? this.#journal : undefined;
  }

  /** What the metrics show; metrics/exposition.ts says what each figure is. */
  get figures() {
    const { bytes = 0, ms = 0 } = this.#journal?.lag ?? {};
    return {
      lagBytes: bytes,
      lagSeconds: ms / 1000,
      fileBytes: this.#fileBytes,
      savedAt: this.#savedAt,
      savedSeconds: this.#savedMs / 1000,
      savedBytes: this.#baseBytes,
      failures: this.#failures + (this.#journal?.writer.failures ?? 0),
      restoreSeconds: this.#restoreMs / 1000,
    };
  }

  /** Resolves when what was changed until now will be there after any crash. False: that is not known. */
  async kept(): Promise<boolean> {
    if (this.#isStopped) return true;
    if (this.#parts.mode === 'snapshot') return new Promise((resolve) => this.#waiters.push(resolve));
    const journal = this.#journal;
    if (!journal) return false;
    journal.flush();
    return journal.writer.settle().then(
      () => true,
      () => false,
    );
  }

  /** Puts back what earlier runs kept, and keeps changes from then on. Rejects with StartError. */
  async start(): Promise<void> {
    const { planClears } = await this.#restore();
    await this.#begin();
    planClears();
    const { mode, snapshotIntervalMs } = this.#parts;
    const { evictions } = await this.#parts.store.totals();
    this.#isRunning = true;
    // Evicted items must not be back after the next start.
    if (evictions > 0) await this.#save(true);
    else if (this.#files > FILES_AT_START_MAX) await this.#saveInBackground();
    if (mode === 'log') this.#look();
    else if (snapshotIntervalMs > 0) this.#scheduleSnapshot();
  }

  /** Keeps everything, once nobody changes anything any more. False: it could not, and has logged why. */
  async stop(): Promise<boolean> {
    this.#isStopping = true;
    let isKept = true;
    clearTimeout(this.#timer);
    try {
      if (this.#parts.mode === 'log') await this.#finishLog();
      await this.#saving;
      if (this.#parts.mode === 'snapshot' && this.#isRunning) await this.#save(true);
    } catch (err) {
      isKept = false;
      this.#parts.log.error({ err }, 'the last changes could not be kept');
    }
    this.#parts.store.journalTo(undefined);
    await this.#parts.directory.release();
    this.#isStopped = isKept;
    return isKept;
  }

  async #restore(): Promise<Restored> {
    const { log, directory } = this.#parts;
    const started = performance.now();
    this.#progress = { items: 0, bytes: 0, bytesOfAll: 0 };
    const timer = setInterval(() => tellProgress(log, this.#progress, started), PROGRESS_INTERVAL_MS);
    let restored: Restored;
    try {
      restored = await restore({
        ...this.#parts,
        progressed: (progress) => {
          this.#progress = progress;
        },
        isOver: () => this.#isStopping,
      });
    } finally {
      clearInterval(timer);
      this.#progress = undefined;
    }
    this.#restoreMs = performance.now() - started;
    const files = await directory.list();
    this.#generation = files.at(-1)?.generation ?? 0;
    this.#files = files.length;
    this.#otherBytes = restored.bytes;
    this.#baseBytes = restored.baseBytes;
    this.#sequence = restored.nextSequence;
    if (files.length === 0) return restored;
    const { items } = await this.#parts.store.totals();
    const seconds = Math.round(this.#restoreMs / 10) / 100;
    log.info({ items, bytes: restored.bytes, seconds, directory: directory.path }, 'items are restored');
    return restored;
  }

  // Even if nothing is changed, the file tells which version numbers may have been given.
  async #begin(): Promise<void> {
    const { directory, log, mode, store } = this.#parts;
    const journal = this.#newJournal({
      failed: (err) => {
        log.error(
          { err, directory: directory.path },
          'changes cannot be kept on disk: writes are refused until they can, which is tried every second',
        );
        return true;
      },
      recovered: () => log.info({}, 'changes are kept on disk again'),
    });
    journal.begin(this.#nextFile('log'));
    journal.flushCounters();
    try {
      await journal.writer.settle(true);
    } catch (error) {
      await this.#end(journal);
      throw new StartError(`${directory.path} cannot be written: ${messageOf(error)}`);
    }
    if (mode === 'log') {
      this.#journal = journal;
      store.journalTo(journal);
      return;
    }
    this.#otherBytes += journal.writer.fileBytes;
    await this.#end(journal);
  }

  #newJournal(told: { failed: (err: unknown) => boolean; recovered: () => void }): ItemJournal {
    const { directory, clock, fsync, unwrittenBytesMax, store, mode } = this.#parts;
    return new ItemJournal({
      directory,
      clock,
      fsync: mode === 'log' ? fsync : 'everysec',
      nextCas: () => store.nextCas,
      sequence: this.#sequence,
      unwrittenBytesMax,
      ...told,
    });
  }

  #nextFile(kind: GenerationFile['kind']): GenerationFile {
    this.#generation++;
    this.#files++;
    this.#clockSet = clockSet(this.#parts.clock);
    return { generation: this.#generation, kind };
  }

  async #end(journal: ItemJournal): Promise<void> {
    journal.stop();
    this.#sequence = journal.sequence;
    this.#failures += journal.writer.failures;
    await journal.writer.close();
  }

  get #fileBytes(): number {
    return this.#otherBytes + (this.#journal?.writer.fileBytes ?? 0);
  }

  #look(): void {
    this.#timer = setTimeout(async () => {
      const isDue = !this.#saving && ((await this.#isFileGone()) || this.#isOutOfDate());
      if (this.#isStopping) return;
      if (isDue) this.#saveInBackground();
      this.#look();
    }, LOOK_INTERVAL_MS).unref();
  }

  // What is written then goes nowhere, and no error tells.
  async #isFileGone(): Promise<boolean> {
    if ((await this.#journal?.writer.isFileThere()) !== false) return false;
    this.#failures++;
    const details = { directory: this.#parts.directory.path };
    this.#parts.log.error(details, 'the file of changes was removed, or its directory: all is written anew');
    return true;
  }

  #isOutOfDate(): boolean {
    if (this.#journal?.writer.trouble !== undefined) return false;
    if (this.#saveAgainAt !== undefined) return this.#parts.clock.now() >= this.#saveAgainAt;
    if (Math.abs(clockSet(this.#parts.clock) - this.#clockSet) > CLOCK_SET_MS) return true;
    return this.#fileBytes > 2 * this.#baseBytes + this.#parts.compactionBytesMin || this.#files > FILES_MAX;
  }

  #scheduleSnapshot(): void {
    this.#timer = setTimeout(() => {
      this.#saveInBackground().finally(() => {
        if (!this.#isStopping) this.#scheduleSnapshot();
      });
    }, this.#parts.snapshotIntervalMs).unref();
  }

  #saveInBackground(): Promise<void> {
    this.#saving = this.#save(false)
      .catch((err) => {
        this.#saveAgainAt = this.#parts.clock.now() + SAVE_AGAIN_MS;
        this.#parts.log.error({ err }, 'the items could not be saved; what was saved before is still there');
      })
      .finally(() => {
        this.#saving = undefined;
      });
    return this.#saving;
  }

  // Writes everything into a new file, which takes the place of all before it.
  async #save(isAlone: boolean): Promise<void> {
    const started = performance.now();
    const saved =
      this.#parts.mode === 'log' ? await this.#compact(isAlone) : await this.#takeSnapshot(isAlone);
    if (!saved) return;
    this.#saveAgainAt = undefined;
    this.#savedAt = this.#parts.clock.unixNow();
    this.#savedMs = performance.now() - started;
    this.#parts.log.info({ ...saved, seconds: Math.round(this.#savedMs / 10) / 100 }, 'all items are saved');
  }

  // Changes go into the new file meanwhile, so that nothing is lost if this is cut short.
  async #compact(isAlone: boolean) {
    const journal = this.#journal as ItemJournal;
    this.#otherBytes = this.#fileBytes;
    const file = this.#nextFile('log');
    journal.begin(file);
    const isOver = () => this.#isStopping;
    const items = await walk({ ...this.#parts, journal, isAlone, isOver });
    if (isOver()) return undefined;
    journal.complete();
    journal.flush();
    await journal.writer.settle();
    const bytes = journal.writer.fileBytes;
    await this.#supersede(file);
    this.#baseBytes = bytes;
    this.#otherBytes = 0;
    return { items, bytes };
  }

  async #takeSnapshot(isAlone: boolean) {
    const waiters = this.#waiters.splice(0);
    try {
      const saved = await this.#writeSnapshot(isAlone);
      if (saved) for (const told of waiters.splice(0)) told(true);
      return saved;
    } finally {
      // They wait for the next one.
      this.#waiters.unshift(...waiters);
    }
  }

  // Undefined: the service stops, and takes another when it is alone.
  async #writeSnapshot(isAlone: boolean) {
    const { store } = this.#parts;
    let failure: unknown;
    const journal = this.#newJournal({
      failed: (error) => {
        failure = error;
        store.journalTo(undefined);
        return false;
      },
      recovered: () => {},
    });
    this.#journal = journal;
    const file = this.#nextFile('partial');
    const isOver = () => failure !== undefined || (this.#isStopping && !isAlone);
    try {
      journal.begin(file);
      store.journalTo(journal);
      const items = await walk({ ...this.#parts, journal, isAlone, isOver });
      journal.complete();
      store.journalTo(undefined);
      if (failure !== undefined) throw failure;
      if (isOver()) {
        await this.#dropSnapshot(journal, file);
        return undefined;
      }
      journal.flush();
      await journal.writer.settle();
      const bytes = journal.writer.fileBytes;
      await this.#end(journal);
      await this.#supersede(file);
      this.#baseBytes = bytes;
      this.#otherBytes = bytes;
      return { items, bytes };
    } catch (error) {
      store.journalTo(undefined);
      await this.#dropSnapshot(journal, file);
      throw error;
    } finally {
      this.#journal = undefined;
    }
  }

  async #dropSnapshot(journal: ItemJournal, file: GenerationFile): Promise<void> {
    this.#failures += journal.writer.failures;
    journal.stop();
    await journal.writer.abandon();
    this.#files--;
    await this.#parts.directory.remove([file]);
  }

  async #supersede(file: GenerationFile): Promise<void> {
    const { directory } = this.#parts;
    await directory.rename(file, { ...file, kind: 'base' });
    const files = await directory.list();
    const before = files.filter(({ generation }) => generation < file.generation);
    await removeSuperseded(this.#parts, before);
    this.#files = 1;
  }

  // The last frame says that all before it are on disk: if they are not intact later, that is damage.
  async #finishLog(): Promise<void> {
    const journal = this.#journal;
    if (!journal) return;
    journal.stop();
    try {
      await journal.writer.settle(true);
      await this.#saving;
      journal.flushCounters();
      await journal.writer.settle(true);
    } finally {
      await journal.writer.close();
    }
  }
}

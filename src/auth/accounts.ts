import { stat } from 'node:fs/promises';
import { writePrivately } from '../files/private-file.ts';
import { isReadOnce } from '../files/read-once.ts';
import { codeOf } from '../thrown.ts';
import {
  type Change,
  CredentialsRefusal,
  forgetDeletions,
  NO_RULES,
  notKept,
  type TokenRules,
} from './credential-changes.ts';
import { type Credentials, madeAt, remadeProjects, wasDeleted } from './credentials.ts';
import { type CredentialsFile, lockPath, readIfChanged } from './credentials-file.ts';
import { formatCredentials } from './credentials-json.ts';
import { type Emptied, EmptiedProjects } from './emptied-projects.ts';
import { whileLocked } from './file-lock.ts';

export interface AccountsParts {
  /** Where they are kept; without a file they are what was given at the start. */
  readonly file?: CredentialsFile;
  readonly given?: Credentials;
  /** Why they cannot be changed here, if so: for whoever tries. */
  readonly readOnly?: string;
  /** What new tokens have to heed, as whoever makes one is told by `tokenRules`. */
  readonly tokenRules?: TokenRules;
  /** Told of what there is now, and of which projects were deleted. The next change waits for it. */
  readonly onChange: (credentials: Credentials, deleted: readonly string[]) => Promise<void> | void;
  /** Does this process hold the items, so that `onChange` deletes those of deleted projects? A command does not. */
  readonly hasItems?: boolean;
  /** Resolves when deleted items cannot come back any more, by a crash. False: they still may. */
  readonly deletionsKept?: () => Promise<boolean>;
  readonly log: AccountsLog;
}

/** What is needed of a logger; pino's is one. */
interface AccountsLog {
  info(details: object, message: string): void;
  error(details: object, message: string): void;
}

// By the file's time and size: Kubernetes replaces a mounted file by changing a link, which other ways of watching do
// not notice everywhere.
const WATCH_INTERVAL_MS = 1_000;

const UNUSABLE = 'the credentials file cannot be used; the projects and tokens stay as they were';

const NONE: Credentials = { projects: [], tokens: [] };

/** The projects and tokens of the running service: kept in a file, changed one change at a time. */
export class Accounts {
  readonly #parts: AccountsParts;
  #credentials: Credentials;
  #text: string | undefined;
  /** The change or reading that is under way, behind which others wait. */
  #last: Promise<unknown> = Promise.resolve();
  /** What still follows from a change that is kept, such as deleting a project's caches. */
  #aftermath: Promise<void> | void = undefined;
  #watchTimer: NodeJS.Timeout | undefined;
  readonly #emptied: EmptiedProjects;
  /** Which file was there at the last look. */
  #seen: string | undefined;
  /** The error code with which the system refused to read it then. */
  #unreadable = '';

  constructor(parts: AccountsParts) {
    this.#parts = parts;
    this.#credentials = parts.file?.credentials ?? parts.given ?? NONE;
    this.#text = parts.file?.text;
    this.#emptied = new EmptiedProjects({
      deletionsKept: async () => (await parts.deletionsKept?.()) ?? true,
      inTurn: (work) => this.#next(work),
      write: (emptied) => this.#writeEmptied(emptied),
    });
    this.#aftermath = this.#tell(this.#credentials, [], []);
  }

  get credentials(): Credentials {
    return this.#credentials;
  }

  get tokenRules(): TokenRules {
    return this.#parts.tokenRules ?? NO_RULES;
  }

  /** Makes a change, and resolves when it is kept and in force. Throws CredentialsRefusal, and what the change throws. */
  change<R>(make: Change<R>): Promise<R> {
    const { file, readOnly } = this.#parts;
    if (!file || readOnly !== undefined) {
      return Promise.reject(new CredentialsRefusal('read_only', readOnly ?? 'Nothing is kept here.'));
    }
    return this.#next(() => this.#keep(file.path, make));
  }

  /**
   * Reads the file anew, if it has changed. A broken one is logged, and the old credentials stay. False: the system
   * did not let it be read, and may do so another time.
   */
  reload(): Promise<boolean> {
    return this.#next(async () => {
      const { file, log } = this.#parts;
      try {
        const isNew = file !== undefined && (await this.#read(file.path));
        this.#unreadable = '';
        if (!isNew) return true;
        const { projects, tokens } = this.#credentials;
        const counts = { projects: projects.length, tokens: tokens.length };
        log.info({ file: file.path, ...counts }, 'projects and tokens were read anew');
        return true;
      } catch (err) {
        const code = codeOf(err);
        // Polled again and again, it is logged once.
        if (code === '' || code !== this.#unreadable) log.error({ err }, UNUSABLE);
        this.#unreadable = code;
        return code === '';
      }
    });
  }

  /**
   * The projects that were deleted and made again, whose old items may be left here. None where it cannot be recorded
   * that these are gone: they would be deleted again and again.
   */
  get remade(): readonly string[] {
    const { file, readOnly, hasItems } = this.#parts;
    return file && readOnly === undefined && hasItems ? remadeProjects(this.#credentials) : [];
  }

  /**
   * What these had before they were made again is deleted, which is written down once it cannot come back. Resolves
   * when that is done, or after a moment: it may have to wait for a snapshot, or for the disk.
   */
  emptied(ids: readonly string[]): Promise<void> {
    return this.#emptied.add(this.#madeAt(ids));
  }

  /** Writes down what is deleted, once it cannot come back. */
  forgetEmptied(): Promise<void> {
    return this.#emptied.writeAll();
  }

  /** Looks for changes of the file from now on. */
  watch(intervalMs = WATCH_INTERVAL_MS): void {
    const { file } = this.#parts;
    if (file) this.#watchTimer = setInterval(() => this.#look(file.path), intervalMs).unref();
  }

  /** Looks no more, and resolves when the last change is kept. */
  async close(): Promise<void> {
    clearInterval(this.#watchTimer);
    this.#emptied.close();
    await this.#last;
  }

  // The first look reads the file in any case: it may have changed since it was opened.
  async #look(path: string): Promise<void> {
    const seen = await signatureOf(path);
    if (seen === this.#seen || !(await this.reload())) return;
    this.#seen = seen;
  }

  async #keep<R>(path: string, make: Change<R>): Promise<R> {
    let refusal: unknown;
    const tried: Change<R> = (credentials) => {
      try {
        return make(credentials);
      } catch (error) {
        refusal = error;
        throw error;
      }
    };
    try {
      return await whileLocked(lockPath(path), () => this.#change(path, tried));
    } catch (err) {
      if (err === refusal) throw err;
      this.#parts.log.error({ err }, 'a change of projects and tokens could not be kept');
      throw notKept();
    }
  }

  async #change<R>(path: string, make: Change<R>): Promise<R> {
    // The command line may have written it since.
    await this.#read(path);
    const { credentials, result } = make(this.#credentials);
    const text = formatCredentials(credentials);
    await writePrivately(path, text);
    this.#use(text, credentials);
    return result;
  }

  async #read(path: string): Promise<boolean> {
    // What is kept here may have them: the admin token of the first start, which is given from outside later on.
    const taken = this.#parts.readOnly === undefined ? [] : this.tokenRules.elsewhere;
    const file = await readIfChanged(path, this.#text, taken);
    if (file) this.#use(file.text, file.credentials);
    return file !== undefined;
  }

  #use(text: string, credentials: Credentials): void {
    const ids = new Set(credentials.projects.map(({ id }) => id));
    const gone = this.#credentials.projects.filter(({ id }) => !ids.has(id)).map(({ id }) => id);
    const deleted = gone.filter((id) => wasDeleted(credentials, id));
    if (gone.length > deleted.length) {
      const projects = gone.filter((id) => !wasDeleted(credentials, id));
      this.#parts.log.info(
        { projects },
        'projects are not named any more; their caches stay, for nobody to use',
      );
    }
    const before = this.#madeAt(this.remade);
    this.#text = text;
    this.#credentials = credentials;
    const isNews = (id: string) => !before.has(id) || before.get(id) !== madeAt(credentials, id);
    const remade = this.remade.filter(isNews);
    this.#aftermath = this.#tell(credentials, deleted, remade);
  }

  // The change is made, even if what follows from it fails.
  async #tell(credentials: Credentials, gone: readonly string[], remade: readonly string[]): Promise<void> {
    const deleted = [...gone, ...remade];
    try {
      await this.#parts.onChange(credentials, deleted);
      // Within the change that made them again: what they have from its answer on is theirs.
      await this.#emptied.add(this.#madeAt(remade), (work) => work());
    } catch (err) {
      this.#parts.log.error({ err, projects: deleted }, 'what deleted projects had could not be deleted');
    }
  }

  #madeAt(ids: readonly string[]): Emptied {
    return new Map(ids.map((id) => [id, madeAt(this.#credentials, id)]));
  }

  async #writeEmptied(emptied: Emptied): Promise<void> {
    const { file } = this.#parts;
    if (file) await this.#keep(file.path, forgetDeletions(emptied));
  }

  #next<R>(work: () => Promise<R>): Promise<R> {
    const next = this.#last.then(async () => {
      const result = await work();
      await this.#aftermath;
      return result;
    });
    this.#last = next.catch(() => undefined);
    return next;
  }
}

/** Differs once the file has changed; undefined: it is none that can change. */
async function signatureOf(path: string): Promise<string | undefined> {
  try {
    const stats = await stat(path);
    if (isReadOnce(stats)) return undefined;
    const { ino, mtimeMs, ctimeMs, size } = stats;
    return `${ino} ${mtimeMs} ${ctimeMs} ${size}`;
  } catch (error) {
    return codeOf(error);
  }
}

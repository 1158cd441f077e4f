import { stat } from 'node:fs/promises';
import { type Change, CredentialsRefusal, notKept } from './credential-changes.ts';
import { type Credentials, wasDeleted } from './credentials.ts';
import { type CredentialsFile, lockPath, readCredentialsFile } from './credentials-file.ts';
import { formatCredentials } from './credentials-json.ts';
import { whileLocked } from './file-lock.ts';
import { codeOf, writePrivately } from './private-file.ts';

export interface AccountsParts {
  /** Where they are kept; without a file they are what was given at the start. */
  readonly file?: CredentialsFile;
  readonly given?: Credentials;
  /** Why they cannot be changed here, if so: for whoever tries. */
  readonly readOnly?: string;
  /** Told of what there is now, and of which projects were deleted. The next change waits for it. */
  readonly onChange: (credentials: Credentials, deleted: readonly string[]) => Promise<void> | void;
  readonly log: AccountsLog;
}

/** What of a logger is needed here; pino's is one. */
export interface AccountsLog {
  info(details: object, message: string): void;
  error(details: object, message: string): void;
}

// A look at the file's time and size. Kubernetes exchanges a mounted file by a link, of which no other
// way of watching learns everywhere.
const WATCH_INTERVAL_MS = 1_000;

const NONE: Credentials = { projects: [], tokens: [] };

/** The projects and tokens of the running service: kept in a file, changed one change at a time. */
export class Accounts {
  readonly #parts: AccountsParts;
  #credentials: Credentials;
  #text: string | undefined;
  /** The change or reading that is under way, behind which others wait. */
  #last: Promise<unknown> = Promise.resolve();
  /** What a change still entails when it is kept, such as to delete a project's caches. */
  #aftermath: Promise<void> | void = undefined;
  #watchTimer: NodeJS.Timeout | undefined;
  /** Which file was there at the last look. */
  #seen: string | undefined;

  constructor(parts: AccountsParts) {
    this.#parts = parts;
    this.#credentials = parts.file?.credentials ?? parts.given ?? NONE;
    this.#text = parts.file?.text;
    this.#aftermath = parts.onChange(this.#credentials, []);
  }

  get credentials(): Credentials {
    return this.#credentials;
  }

  /** Makes a change, and resolves when it is kept and in force. Throws CredentialsRefusal. */
  change<R>(make: Change<R>): Promise<R> {
    const { file, readOnly } = this.#parts;
    if (!file || readOnly !== undefined) {
      return Promise.reject(new CredentialsRefusal('read_only', readOnly ?? 'Nothing is kept here.'));
    }
    return this.#next(() => this.#keep(file.path, make));
  }

  /** Reads the file anew, if it has changed. A broken one is logged, and the old credentials stay. */
  reload(): Promise<void> {
    return this.#next(async () => {
      const { file, log } = this.#parts;
      try {
        if (!file || !(await this.#read(file.path))) return;
        const { projects, tokens } = this.#credentials;
        const counts = { projects: projects.length, tokens: tokens.length };
        log.info({ file: file.path, ...counts }, 'projects and tokens were read anew');
      } catch (err) {
        log.error({ err }, 'the credentials file cannot be used; the projects and tokens stay as they were');
      }
    });
  }

  /** Looks for changes of the file from now on. */
  watch(intervalMs = WATCH_INTERVAL_MS): void {
    const { file } = this.#parts;
    if (file) this.#watchTimer = setInterval(() => this.#look(file.path), intervalMs).unref();
  }

  /** Looks no more, and resolves when the last change is kept. */
  async close(): Promise<void> {
    clearInterval(this.#watchTimer);
    await this.#last;
  }

  // The first look reads the file in any case: it may have changed since it was opened.
  async #look(path: string): Promise<void> {
    const seen = await signatureOf(path);
    if (seen === this.#seen) return;
    this.#seen = seen;
    await this.reload();
  }

  async #keep<R>(path: string, make: Change<R>): Promise<R> {
    try {
      return await whileLocked(lockPath(path), () => this.#change(path, make));
    } catch (err) {
      if (err instanceof CredentialsRefusal) throw err;
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
    const { text, credentials } = await readCredentialsFile(path);
    if (text === this.#text) return false;
    this.#use(text, credentials);
    return true;
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
    this.#text = text;
    this.#credentials = credentials;
    this.#aftermath = this.#parts.onChange(credentials, deleted);
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

async function signatureOf(path: string): Promise<string> {
  try {
    const { ino, mtimeMs, size } = await stat(path);
    return `${ino} ${mtimeMs} ${size}`;
  } catch (error) {
    return String(codeOf(error));
  }
}

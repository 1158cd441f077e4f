import { type Control, ControlError } from '../control.ts';

/** How long a made token lives, in case the transfer is killed before it revokes it. */
const TOKEN_SECONDS = 24 * 60 * 60;

interface ProjectTokensParts {
  /** A token that was named: it is used for every project. */
  readonly given: string | undefined;
  /** That of an iron.json, for its project. */
  readonly iron: { readonly projectId: string; readonly token: string } | undefined;
  /** By which other tokens are made. */
  readonly control: () => Promise<Control>;
  readonly permission: 'read' | 'write';
  /** Are they for every project there is? */
  readonly isForAll: boolean;
  /** What the tokens are for, as their name. */
  readonly name: string;
}

interface MadeToken {
  readonly id: string;
  readonly token: string;
}

/** The tokens of a transfer. Where there is none for a project, an admin makes one for the time being. */
export class ProjectTokens {
  readonly #parts: ProjectTokensParts;
  /** By their projects, or `*`, also those that are yet being made. */
  readonly #made = new Map<string, Promise<MadeToken>>();
  /** Does each project need one of its own? It does where the admin may make none for all. */
  #isForEach: boolean;
  #isOver = false;

  constructor(parts: ProjectTokensParts) {
    this.#parts = parts;
    this.#isForEach = !parts.isForAll;
  }

  async tokenFor(project: string): Promise<string> {
    const { given, iron } = this.#parts;
    if (given !== undefined) return given;
    if (iron?.projectId === project) return iron.token;
    return (await this.#madeFor(project)).token;
  }

  /** Revokes the tokens that were made. No other is: of a transfer that failed, a part may not have noticed yet. */
  async end(): Promise<void> {
    this.#isOver = true;
    for (const [project, making] of this.#made) {
      this.#made.delete(project);
      const made = await making.catch(() => undefined);
      if (made) await (await this.#parts.control()).revokeToken(made.id);
    }
  }

  // One for all, where all are meant: then no project has to have room for another.
  async #madeFor(project: string): Promise<MadeToken> {
    if (!this.#isForEach) {
      const made = await this.#one('*').catch(() => undefined);
      if (made) return made;
      this.#isForEach = true;
    }
    return this.#one(project);
  }

  async #one(project: string): Promise<MadeToken> {
    const known = this.#made.get(project);
    if (known) return known;
    if (this.#isOver) throw new ControlError('no token is made any more');
    const making = this.#make(project);
    this.#made.set(project, making);
    try {
      return await making;
    } catch (error) {
      this.#made.delete(project);
      throw error;
    }
  }

  async #make(project: string): Promise<MadeToken> {
    const { control, name, permission } = this.#parts;
    const projects = project === '*' ? project : [project];
    const asked = { name, projects, permissions: [permission], expires_in: TOKEN_SECONDS } as const;
    return (await control()).createToken(asked);
  }
}

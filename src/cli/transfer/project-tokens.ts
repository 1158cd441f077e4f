import type { Control } from '../control.ts';

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
  /** By their projects, or `*`. */
  readonly #made = new Map<string, MadeToken>();
  /** Does each project need one of its own? It does where the admin may make none for all. */
  #isForEach: boolean;

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

  /** Revokes the tokens that were made. */
  async end(): Promise<void> {
    for (const [project, { id }] of this.#made) {
      this.#made.delete(project);
      await (await this.#parts.control()).revokeToken(id);
    }
  }

  // One for all, where all are meant: then no project has to have room for another.
  async #madeFor(project: string): Promise<MadeToken> {
    if (!this.#isForEach) {
      const made = this.#made.get('*') ?? (await this.#make('*').catch(() => undefined));
      if (made) return made;
      this.#isForEach = true;
    }
    return this.#made.get(project) ?? (await this.#make(project));
  }

  async #make(project: string): Promise<MadeToken> {
    const { control, name, permission } = this.#parts;
    const projects = project === '*' ? project : [project];
    const asked = { name, projects, permissions: [permission], expires_in: TOKEN_SECONDS } as const;
    const made = await (await control()).createToken(asked);
    this.#made.set(project, made);
    return made;
  }
}

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
  /** What the tokens are for, as their name. */
  readonly name: string;
}

/** The tokens of a transfer. Where there is none for a project, an admin makes one for the time being. */
export class ProjectTokens {
  readonly #parts: ProjectTokensParts;
  readonly #made = new Map<string, { readonly id: string; readonly token: string }>();

  constructor(parts: ProjectTokensParts) {
    this.#parts = parts;
  }

  async tokenFor(project: string): Promise<string> {
    const { given, iron } = this.#parts;
    if (given !== undefined) return given;
    if (iron?.projectId === project) return iron.token;
    const made = this.#made.get(project) ?? (await this.#make(project));
    return made.token;
  }

  /** Revokes the tokens that were made. */
  async end(): Promise<void> {
    for (const [project, { id }] of this.#made) {
      this.#made.delete(project);
      await (await this.#parts.control()).revokeToken(id);
    }
  }

  async #make(project: string) {
    const { control, name, permission } = this.#parts;
    const asked = { name, projects: [project], permissions: [permission], expires_in: TOKEN_SECONDS };
    const made = await (await control()).createToken(asked);
    this.#made.set(project, made);
    return made;
  }
}

import type { Access } from './access.ts';
import type { Terminal } from './progress.ts';

/** Projects that a dump of all leaves out, wholly or in part, since nobody may use them: it goes on with the others. */
export class ProjectsLeftOut {
  readonly #control: Access['control'];
  readonly #terminal: Terminal;
  readonly #ids = new Set<string>();

  constructor(control: Access['control'], terminal: Terminal) {
    this.#control = control;
    this.#terminal = terminal;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** Leaves a project out, and says so of it. */
  add(id: string, said: string): void {
    this.#ids.add(id);
    this.#terminal.write(`ironcached: the project ${id} ${said}\n`);
  }

  /** What was asked of a project; undefined: it is left out, since it was suspended or deleted after it was listed. */
  unless<T>(asked: Promise<T>, id: string): Promise<T | undefined> {
    return asked.catch(async (error) => {
      if (await this.#isInUse(id)) throw error;
      this.add(id, 'was suspended or deleted meanwhile, and what is left of it is not in the dump');
      return undefined;
    });
  }

  // A service that cannot be asked may still have it.
  async #isInUse(id: string): Promise<boolean> {
    const projects = await this.#control()
      .then((control) => control.projects())
      .catch(() => undefined);
    return !projects || projects.some((project) => project.id === id && project.status === 'active');
  }
}

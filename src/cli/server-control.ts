import type { AskedChange, AskedProject, AskedToken, Control, ShownProject, ShownToken } from './control.ts';
import { RestClient } from './rest-client.ts';

const PAGE = 100;
const TIMEOUT_MS = 30_000;

/** Projects and tokens of a running service, by its control plane. */
export class ServerControl implements Control {
  readonly #rest: RestClient;
  readonly #token: string;

  constructor(base: URL, token: string) {
    this.#rest = new RestClient(base);
    this.#token = token;
  }

  createProject(asked: AskedProject): Promise<ShownProject> {
    return this.#ask('POST', 'projects', asked);
  }

  projects(): Promise<ShownProject[]> {
    return this.#all('projects');
  }

  changeProject(id: string, change: AskedChange): Promise<ShownProject> {
    return this.#ask('PATCH', `projects/${id}`, change);
  }

  async deleteProject(id: string): Promise<void> {
    await this.#ask('DELETE', `projects/${id}`);
  }

  createToken(asked: AskedToken): Promise<ShownToken & { token: string }> {
    return this.#ask('POST', 'tokens', asked);
  }

  tokens(): Promise<ShownToken[]> {
    return this.#all('tokens');
  }

  async revokeToken(id: string): Promise<void> {
    await this.#ask('DELETE', `tokens/${id}`);
  }

  async #all<T extends { readonly id: string }>(kind: 'projects' | 'tokens'): Promise<T[]> {
    const all: T[] = [];
    for (;;) {
      const previous = all.at(-1)?.id ?? '';
      const page = await this.#ask<Record<string, T[]>>(
        'GET',
        `${kind}?per_page=${PAGE}&previous=${previous}`,
      );
      const listed = page[kind] ?? [];
      all.push(...listed);
      if (listed.length < PAGE) return all;
    }
  }

  #ask<T>(method: string, path: string, body?: object): Promise<T> {
    return this.#rest.json({
      method,
      path: `/1/${path}`,
      token: this.#token,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body && { body: JSON.stringify(body) }),
    });
  }
}

import {
  type AskedChange,
  type AskedProject,
  type AskedToken,
  type Control,
  ControlError,
  type ShownProject,
  type ShownToken,
} from './control.ts';
import { reasonOf } from './failure.ts';

const PAGE = 100;
const TIMEOUT_MS = 30_000;

/** Projects and tokens of a running service, by its control plane. */
export class ServerControl implements Control {
  readonly #base: URL;
  readonly #token: string;

  constructor(base: URL, token: string) {
    this.#base = base;
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

  async #ask<T>(method: string, path: string, body?: object): Promise<T> {
    const url = new URL(`/1/${path}`, this.#base);
    const { ok, status, text } = await this.#fetch(url, method, body);
    const json = parse(text);
    if (ok && json) return json as T;
    const said = json && 'msg' in json ? json.msg : `it answered ${status}, and is perhaps no ironcached`;
    throw new ControlError(`${this.#base.origin}: ${said}`);
  }

  async #fetch(url: URL, method: string, body: object | undefined) {
    try {
      const response = await fetch(url, {
        method,
        headers: { authorization: `OAuth ${this.#token}` },
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(body && { body: JSON.stringify(body) }),
      });
      return { ok: response.ok, status: response.status, text: await response.text() };
    } catch (error) {
      throw new ControlError(`${url.origin} cannot be reached: ${reasonOf(error)}`);
    }
  }
}

function parse(text: string): object | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null ? json : undefined;
  } catch {
    return undefined;
  }
}

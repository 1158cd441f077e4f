import { ControlError } from '../control.ts';
import { reasonOf } from '../failure.ts';
import { post } from './streamed-post.ts';

const PAGE = 100;

/** A cache of a project. */
export interface CachePlace {
  readonly project: string;
  readonly cache: string;
}

/** What the service says of a load. */
export interface LoadReport {
  readonly loaded: number;
  readonly expired: number;
  readonly kept: number;
  readonly refused: readonly { readonly msg: string; readonly items: number; readonly line: number }[];
}

interface ItemServerParts {
  readonly base: URL;
  readonly tokenFor: (project: string) => Promise<string>;
  /** Ends whatever is on its way. */
  readonly signal: AbortSignal;
}

interface Asked {
  readonly url: URL;
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
}

/** The items of a running service, by its REST interface. Throws ControlError. */
export class ItemServer {
  readonly #parts: ItemServerParts;

  constructor(parts: ItemServerParts) {
    this.#parts = parts;
  }

  /** The names of all caches of a project. */
  async caches(project: string): Promise<string[]> {
    const names: string[] = [];
    for (;;) {
      // By name instead of by number, since caches come and go meanwhile.
      const previous = encodeURIComponent(names.at(-1) ?? '');
      const response = await this.#get(project, `?previous=${previous}&per_page=${PAGE}`);
      if (!response.ok) return this.#fail(response);
      const listed = (await response.json()) as { name: string }[];
      names.push(...listed.map(({ name }) => name));
      if (listed.length < PAGE) return names;
    }
  }

  /** The lines of a cache's dump as they come; undefined: there is no such cache. */
  async dump({ project, cache }: CachePlace): Promise<AsyncIterable<Uint8Array> | undefined> {
    const response = await this.#get(project, itemsPath(cache));
    if (response.ok && response.body) return response.body;
    if (response.status !== 404) return this.#fail(response);
    await response.body?.cancel();
    return undefined;
  }

  /** Loads the lines of a dump as they come. */
  async load(
    { project, cache }: CachePlace,
    lines: AsyncIterable<Uint8Array>,
    mode: 'set' | 'add',
  ): Promise<LoadReport> {
    const response = await this.#ask(project, `${itemsPath(cache)}?mode=${mode}`, (about) =>
      post({ ...about, body: lines }),
    );
    return response.ok ? ((await response.json()) as LoadReport) : this.#fail(response);
  }

  #get(project: string, path: string): Promise<Response> {
    return this.#ask(project, path, ({ url, ...about }) => fetch(url, about));
  }

  async #ask(project: string, path: string, ask: (about: Asked) => Promise<Response>): Promise<Response> {
    const { base, tokenFor, signal } = this.#parts;
    const headers = { authorization: `OAuth ${await tokenFor(project)}` };
    // A request leaves what it listens for at its signal: each has its own, which goes with it.
    const own = AbortSignal.any([signal]);
    const url = new URL(`/1/projects/${project}/caches${path}`, base);
    try {
      return await ask({ url, headers, signal: own });
    } catch (error) {
      signal.throwIfAborted();
      // What the source of a body throws comes back as it was.
      if (error instanceof ControlError) throw error;
      throw new ControlError(`${base.origin} cannot be reached: ${reasonOf(error)}`);
    }
  }

  async #fail(response: Response): Promise<never> {
    const { origin } = this.#parts.base;
    const said: unknown = await response.json().catch(() => undefined);
    const isMessage = typeof said === 'object' && said !== null && 'msg' in said;
    throw new ControlError(
      `${origin}: ${isMessage ? said.msg : `it answered ${response.status}, and is perhaps no ironcached`}`,
    );
  }
}

function itemsPath(cache: string): string {
  return `/${encodeURIComponent(cache)}/items`;
}

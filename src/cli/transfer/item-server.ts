import { isOk, pathName, RestClient, type Wait } from '../rest-client.ts';

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
  readonly wait: Wait;
}

/** The items of a running service, by its REST interface. Throws ControlError. */
export class ItemServer {
  readonly #parts: ItemServerParts;
  readonly #rest: RestClient;

  constructor(parts: ItemServerParts) {
    this.#parts = parts;
    this.#rest = new RestClient(parts.base, parts.wait);
  }

  /** The names of all caches of a project. */
  async caches(project: string): Promise<string[]> {
    const names: string[] = [];
    for (;;) {
      // By name instead of by number, since caches come and go meanwhile.
      const previous = encodeURIComponent(names.at(-1) ?? '');
      const path = `?previous=${previous}&per_page=${PAGE}`;
      const listed = await this.#rest.json<{ name: string }[]>(await this.#request('GET', project, path));
      names.push(...listed.map(({ name }) => name));
      if (listed.length < PAGE) return names;
    }
  }

  /** The lines of a cache's dump as they come; undefined: there is no such cache. */
  async dump({ project, cache }: CachePlace): Promise<AsyncIterable<Uint8Array> | undefined> {
    const answer = await this.#rest.answer(await this.#request('GET', project, itemsPath(cache)));
    if (isOk(answer)) return answer;
    if (answer.statusCode !== 404) return this.#rest.refuse(answer);
    answer.resume();
    return undefined;
  }

  /** Loads the lines of a dump as they come. */
  async load(
    { project, cache }: CachePlace,
    lines: AsyncIterable<Uint8Array>,
    mode: 'set' | 'add',
  ): Promise<LoadReport> {
    const request = await this.#request('POST', project, `${itemsPath(cache)}?mode=${mode}`);
    return this.#rest.json({ ...request, body: lines });
  }

  async #request(method: string, project: string, path: string) {
    const { tokenFor, signal } = this.#parts;
    const token = await tokenFor(project);
    return { method, path: `/1/projects/${project}/caches${path}`, token, signal };
  }
}

function itemsPath(cache: string): string {
  return `/${pathName(cache)}/items`;
}

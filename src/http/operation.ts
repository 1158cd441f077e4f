import type { RouteShorthandOptions } from 'fastify';
import type { Permission } from '../auth/permissions.ts';
import { type QuerySchema, queryReader } from './query.ts';
import type { JsonSchema, NamedSchema } from './schemas.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the route is, for the OpenAPI document and for those who let requests pass or watch them. */
    operation?: Operation;
  }
}

export interface Operation {
  readonly id: string;
  readonly tag: 'caches' | 'items' | 'projects' | 'tokens' | 'service';
  readonly summary: string;
  readonly description?: string;
  readonly path?: JsonSchema;
  readonly query?: QuerySchema;
  readonly body?: NamedSchema;
  /** What the body is where it is not JSON. */
  readonly bodyType?: 'application/jsonl';
  readonly answer: Answer;
  /** Which errors it has of those that concern tokens and paths, if not all. */
  readonly usualErrors?: readonly ErrorStatus[];
  /** Which errors it has besides those of every operation, with what they say if not the usual. */
  readonly errors?: Readonly<Partial<Record<ErrorStatus, string | undefined>>>;
  /** What a token must be permitted to do in the project of the path. */
  readonly needs?: Permission;
  /** It takes as long as its body is, and is never logged as slow. */
  readonly isLong?: true;
  /** Needs no token. */
  readonly open?: true;
}

export interface Answer {
  readonly description: string;
  readonly schema: NamedSchema;
  readonly examples?: Readonly<Record<string, unknown>>;
  /** What the answer is where it is not JSON. */
  readonly type?: 'text/plain' | 'application/jsonl';
  /** May also be had as application/octet-stream. */
  readonly raw?: true;
}

/** The statuses of all errors that the document has. */
export type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 406 | 408 | 409 | 413 | 429 | 431 | 500 | 503;

/** A route's options from its description. What only the document needs is made by operation-document.ts. */
export function operation(about: Operation): RouteShorthandOptions {
  const { query } = about;
  return {
    schema: { operationId: about.id, ...(query && { querystring: query }) },
    config: { operation: about },
    // Names in a path are text whatever they are, and each has its own answer to a wrong length.
    ...(query && { validatorCompiler: () => queryReader(query) }),
  };
}

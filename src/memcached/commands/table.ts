import type { Answer } from '../../engine/answer.ts';
import type { Request, RequestOf } from '../requests/request.ts';
import { MEMCACHED_VERSION } from '../server-status.ts';
import { type CommandContext, type OpenContext, reply } from './context.ts';
import { calculate, flushAll, refuse, remove, touch } from './items.ts';
import { crawl } from './lru-crawler.ts';
import { metaCalculate, metaDebug, metaDelete, metaGet, metaStore } from './meta.ts';
import { retrieve } from './retrieval.ts';
import { stats } from './stats.ts';
import { store } from './storage.ts';

type Handler<C extends Request['command'], X> = (request: RequestOf<C>, context: X) => Answer<void>;
type OpenCommand = 'version' | 'verbosity' | 'mn' | 'quit';
type OpenHandlers = { readonly [C in OpenCommand]: Handler<C, OpenContext> };
type Handlers = { readonly [C in Request['command']]: Handler<C, CommandContext> };

/** What clients send before they sign in, and what reveals nothing. */
const openHandlers: OpenHandlers = {
  version: (_request, context) => reply(context, `VERSION ${MEMCACHED_VERSION}`),
  verbosity: (request, context) => reply(context, 'OK', request.noreply),
  mn: (_request, context) => reply(context, 'MN'),
  // The session closes the connection; there is nothing to say.
  quit: () => undefined,
};

/** Who answers which command. The compiler asks for whatever is missing here. */
const handlers: Handlers = {
  ...openHandlers,
  get: retrieve,
  gets: retrieve,
  gat: retrieve,
  gats: retrieve,
  set: store,
  add: store,
  replace: store,
  append: store,
  prepend: store,
  cas: store,
  delete: remove,
  incr: calculate,
  decr: calculate,
  touch,
  flush_all: flushAll,
  stats,
  lru_crawler: crawl,
  // A stream of what all tenants do is not for any one of them.
  watch: (_request, context) => reply(context, 'CLIENT_ERROR watch commands not allowed'),
  mg: metaGet,
  ms: metaStore,
  md: metaDelete,
  ma: metaCalculate,
  me: metaDebug,
  refused: refuse,
};

/** Carries out one request and writes its answer. Throws Refusal for what the engine refuses. */
export function execute(request: Request, context: CommandContext): Answer<void> {
  // Most are gets, for which looking the handler up would take as long as anything else in it.
  if (request.command === 'get') return retrieve(request, context);
  // The table gives each command its own handler; the compiler cannot follow that through a union.
  const handler = handlers[request.command] as (request: Request, context: CommandContext) => Answer<void>;
  return handler(request, context);
}

/** Carries out a request of a client that has not signed in. False: that is not for it. */
export function executeOpen(request: Request, context: OpenContext): boolean {
  if (!isOpen(request.command)) return false;
  const handler = openHandlers[request.command] as (request: Request, context: OpenContext) => Answer<void>;
  handler(request, context);
  return true;
}

function isOpen(command: Request['command']): command is OpenCommand {
  return Object.hasOwn(openHandlers, command);
}

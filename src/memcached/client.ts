import type { Answer } from '../engine/answer.ts';
import type { Cache } from '../engine/cache.ts';
import type { KeyBytes } from '../engine/key.ts';
import type { RequestRates } from '../limits/request-rate.ts';
import type { Operation } from './command-meter.ts';
import { type CommandContext, reply } from './commands/context.ts';
import { isAnswered } from './commands/retrieval.ts';
import { execute, executeOpen } from './commands/table.ts';
import type { ParserLimits } from './requests/parser.ts';
import type { Request, RetrievalRequest } from './requests/request.ts';
import { Rights } from './rights.ts';
import { type Admission, refuseWith, SignIn, type SignInParts } from './sign-in.ts';

export interface ClientParts extends SignInParts {
  readonly rates: RequestRates;
  /** The longest line of a get, in bytes. */
  readonly lineBytesMax: number;
  /** What a listener that needs no sign-in is for. */
  readonly bound?: Admission | undefined;
}

/** Where its replies go; see CommandContext. */
type ClientReplies = Pick<CommandContext, 'output' | 'isFull' | 'drained'>;

/** Who sends the requests: a stranger until it has signed in, then one with a cache, and the rights of its grant. */
export class Client {
  readonly #parts: ClientParts;
  readonly #replies: ClientReplies;
  readonly #signIn: SignIn;
  /** Whose cache the requests are about, once it has signed in; and by what right. */
  #context: CommandContext | undefined;
  #rights: Rights | undefined;
  /** That cache, until it is released: the context lasts until the last answer. */
  #held: Cache | undefined;
  /** Why a long answer was cut short. */
  #cutShort: string | undefined;
  /** What it may send now. */
  limits: ParserLimits;
  /** A long get of which it has to read a part before the rest is answered. */
  unfinished: RetrievalRequest | undefined;
  /** Has the store look for what is asked of it soon. */
  readonly expect = (keys: readonly KeyBytes[], count: number) => this.#context?.cache.expect(keys, count);

  constructor(parts: ClientParts, replies: ClientReplies) {
    this.#parts = parts;
    this.#replies = replies;
    this.#signIn = new SignIn(parts);
    this.limits = limitsBeforeSignIn(parts.lineBytesMax);
    if (parts.bound) this.#enter(parts.bound);
  }

  get hasSignedIn(): boolean {
    return this.#context !== undefined;
  }

  /** Has it failed to sign in too often? */
  get isRejected(): boolean {
    return this.#context === undefined && this.#signIn.exhausted;
  }

  get cache(): Cache | undefined {
    return this.#context?.cache;
  }

  /** What a request of it counts as. */
  operationOf({ command }: Request): Operation {
    return this.#context ? command : 'sign_in';
  }

  /** Answers a request, or the part of a long get that there is room for; the rest is `unfinished` then. */
  answer(request: Request): Answer<void> {
    this.unfinished = undefined;
    const context = this.#context;
    const rights = this.#rights;
    if (!context || !rights) return this.#greet(request);
    if (rights.barrier !== undefined && executeOpen(request, context)) return;
    const refusal = rights.barrier ?? rights.refusal(request);
    if (refusal !== undefined) {
      this.#bar(request, refusal);
      return;
    }
    const answer = execute(request, context);
    if (answer instanceof Promise) return answer.then(() => this.#keepIfUnfinished(request));
    this.#keepIfUnfinished(request);
  }

  /** Takes note of what has changed about its rights. False: it has none any more, as if it had never signed in. */
  renew(): boolean {
    if (!this.#rights) return true;
    const isIn = this.#rights.renew(this.#parts.engine.clock.unixNow());
    if (!isIn) this.#leave();
    if (this.#cutShort !== undefined) reply(this.#replies, this.#cutShort);
    this.#cutShort = undefined;
    return isIn;
  }

  /** May it have more of a listing that is under way? Where not, the next renewal says why. */
  mayReadOn(): boolean {
    this.#cutShort = this.#rights?.endOfListing(this.#parts.engine.clock.unixNow());
    return this.#cutShort === undefined;
  }

  /** It is gone, and no longer keeps its cache from being forgotten. */
  release(): void {
    if (this.#held) this.#parts.engine.release(this.#held);
    this.#held = undefined;
  }

  #bar(request: Request, text: string): void {
    this.#parts.meter.refuse(request.command);
    refuseWith(text, request, this.#replies);
  }

  #keepIfUnfinished(request: Request): void {
    if (isRetrieval(request) && !isAnswered(request)) this.unfinished = request;
  }

  #greet(request: Request): Answer<void> {
    const answer = this.#signIn.answer(request, this.#replies);
    if (answer instanceof Promise) return answer.then((admission) => this.#enter(admission));
    this.#enter(answer);
  }

  #enter(admission: Admission | undefined): void {
    if (!admission) return;
    const { grant } = admission;
    const { engine, server, lineBytesMax, rates, bound } = this.#parts;
    // By name, since a bound listener may have its own from long ago, when others share a newer one.
    const cache = engine.hold(admission.cache.projectId, admission.cache.name);
    this.#held = cache;
    this.#rights = new Rights(grant, { rates, isBound: bound !== undefined });
    const { output, isFull, drained } = this.#replies;
    this.#context = { cache, server, output, grant, clock: engine.clock, isFull, drained };
    // The same members as before sign-in, so that to V8 all parsers' limits have one shape.
    const { valueBytesMax } = engine.limits;
    this.limits = { isSigningIn: false, lineBytesMax, valueBytesMax };
  }

  #leave(): void {
    this.release();
    this.#rights = undefined;
    this.#context = undefined;
    this.limits = limitsBeforeSignIn(this.#parts.lineBytesMax);
  }
}

/** What a client may send before sign-in, whatever it may later: a claim is short. */
function limitsBeforeSignIn(lineBytesMax: number): ParserLimits {
  return {
    isSigningIn: true,
    lineBytesMax: Math.min(lineBytesMax, STRANGERS_LINE_BYTES_MAX),
    valueBytesMax: CLAIM_BYTES_MAX,
  };
}

/** The longest line before sign-in, in bytes. */
const STRANGERS_LINE_BYTES_MAX = 64 * 1024;

/** How large a data block may be before sign-in: more than any token, project and cache name. */
const CLAIM_BYTES_MAX = 2048;

function isRetrieval(request: Request): request is RetrievalRequest {
  return 'answered' in request;
}

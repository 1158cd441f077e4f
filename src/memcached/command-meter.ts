import { performance } from 'node:perf_hooks';
import type { OperationMeter, RequestMeter, StatusCount } from '../metrics/request-meter.ts';
import type { Request } from './requests/request.ts';

/** What a command is counted as; whatever a client sends before it has signed in is `sign_in`. */
export type Operation = Request['command'] | 'sign_in';

/** Commands that were answered together, and took long. */
export interface SlowCommands {
  readonly operation: string;
  readonly commands: number;
  readonly ms: number;
}

/** What was counted of one operation since it was last settled. */
class Tally {
  readonly operation: Operation;
  answered = 0;
  refused = 0;
  failed = 0;
  readonly #meter: OperationMeter;
  #ok: StatusCount | undefined;

  constructor(operation: Operation, meter: OperationMeter) {
    this.operation = operation;
    this.#meter = meter;
  }

  settle(seconds: number): void {
    // What was not understood is always refused.
    const refused = this.operation === 'refused' ? this.answered : Math.min(this.refused, this.answered);
    const failed = Math.min(this.failed, this.answered - refused);
    if (this.answered > refused + failed) {
      this.#ok ??= this.#meter.of('ok');
      this.#ok.requests += this.answered - refused - failed;
    }
    if (refused > 0) this.#meter.of('client_error').requests += refused;
    if (failed > 0) this.#meter.of('server_error').requests += failed;
    this.#meter.time(seconds, this.answered);
    this.answered = 0;
    // A refusal may be noted before its command is counted.
    this.refused = Math.max(0, this.refused - refused);
    this.failed -= failed;
  }
}

/**
 * Counts and times what sessions answer. Commands that arrive together leave together, with one write,
 * so the clock is read once for all of them. One meter serves all sessions: each settles what it counted
 * before another has its turn.
 */
export class CommandMeter {
  readonly #requests: RequestMeter;
  readonly #slowMs: number;
  readonly #tallies: Tally[] = [];
  readonly #tallyOf = new Map<Operation, Tally>();
  /** Of the command that was counted last: the next is usually another of the same. */
  #last: Tally | undefined;
  #unsettled = 0;
  /** When something was timed last; see performance.now. */
  settledAt = 0;

  /** `slowMs`: from when on commands are told of as slow; 0 is never. */
  constructor(requests: RequestMeter, slowMs: number) {
    this.#requests = requests;
    this.#slowMs = slowMs;
  }

  /** Counts a command that has its answer. */
  count(operation: Operation): void {
    const tally = this.#last?.operation === operation ? this.#last : this.#tally(operation);
    tally.answered++;
    this.#last = tally;
    this.#unsettled++;
  }

  /** Notes that a command was refused, which is counted separately. */
  refuse(operation: Operation): void {
    this.#tally(operation).refused++;
  }

  /** Notes that one failed by a fault of the service. */
  fail(operation: Operation): void {
    this.#tally(operation).failed++;
  }

  /** Times everything counted since the last call as from `since` to now. Answers what is to be logged as slow. */
  settle(since: number): SlowCommands | undefined {
    if (this.#unsettled === 0) return undefined;
    this.settledAt = performance.now();
    const ms = this.settledAt - since;
    const slow = this.#slowMs > 0 && ms >= this.#slowMs ? this.#describe(ms) : undefined;
    for (const tally of this.#tallies) if (tally.answered > 0) tally.settle(ms / 1000);
    this.#unsettled = 0;
    return slow;
  }

  // A failed sign-in has to wait on purpose.
  #describe(ms: number): SlowCommands | undefined {
    const operations = this.#tallies.filter(({ answered }) => answered > 0).map(({ operation }) => operation);
    if (operations.every((operation) => operation === 'sign_in')) return undefined;
    return { operation: operations.join('+'), commands: this.#unsettled, ms: Math.round(ms) };
  }

  #tally(operation: Operation): Tally {
    const known = this.#tallyOf.get(operation);
    if (known) return known;
    const tally = new Tally(operation, this.#requests.operation(operation));
    this.#tallies.push(tally);
    this.#tallyOf.set(operation, tally);
    return tally;
  }
}

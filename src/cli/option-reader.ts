import type { z } from 'zod';

/** A token of parseArgs. */
interface GivenOption {
  readonly kind: string;
  readonly name?: string;
  readonly rawName?: string;
}

/** Reads options one by one, and collects what is wrong with them. Repeats no value: it may be a token in the wrong place. */
export class OptionReader {
  readonly mistakes: string[] = [];
  readonly #values: Record<string, unknown>;

  constructor(values: Record<string, unknown>) {
    this.#values = values;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    if (value === undefined || typeof value === 'string') return value;
    this.mistakes.push(`--${name} needs a value`);
    return undefined;
  }

  /** An option without a value. */
  flag(name: string): boolean {
    const value = this.#values[name];
    // With a value, such as `--add=false`, nobody knows what was meant.
    if (typeof value === 'string') this.mistakes.push(`--${name} takes no value`);
    return value === true;
  }

  checked<S extends z.ZodType>(name: string, schema: S): z.output<S> | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : this.valid(`--${name}`, schema, text);
  }

  list(name: string, schema: z.ZodType<string>): string[] {
    const values = this.#values[name];
    return (Array.isArray(values) ? values : []).flatMap(
      (value) => this.valid(`--${name}`, schema, value) ?? [],
    );
  }

  /** Those of the settings that commands take, as flags of the service. */
  settings(): string[] {
    return ['data-dir', 'admin-token'].flatMap((name) => {
      const value = this.text(name);
      return value === undefined ? [] : [`--${name}=${value}`];
    });
  }

  /** Refuses what was given besides the options that a command has. */
  refuseOthers(given: readonly GivenOption[], known: readonly string[], command: string): void {
    for (const { kind, name = '', rawName } of given) {
      if (kind !== 'option' || known.includes(name)) continue;
      const [program] = command.split(' ');
      this.mistakes.push(`${rawName}: ${command} has no such option; see ironcached ${program} --help`);
    }
  }

  /** Refuses what was given twice, but for what is repeatable: one of them would be left out without a word. */
  refuseRepeated(given: readonly GivenOption[], repeatable?: string): void {
    const names = new Set<string>();
    for (const { kind, name = '', rawName } of given) {
      if (kind !== 'option' || name === repeatable) continue;
      if (names.has(name)) this.mistakes.push(`${rawName} can be given once`);
      names.add(name);
    }
  }

  /** What stands behind the command, if it takes anything: its name, for the mistakes. */
  argument(given: readonly string[], wanted: string | undefined): string | undefined {
    const [argument, ...more] = given;
    if (more.length === 0 && (wanted || argument === undefined)) return argument;
    this.mistakes.push(`there is an argument too many; it takes ${wanted ?? 'none'}`);
    return argument;
  }

  valid<S extends z.ZodType>(what: string, schema: S, value: unknown): z.output<S> | undefined {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    this.mistakes.push(`${what} ${result.error.issues[0]?.message}`);
    return undefined;
  }
}

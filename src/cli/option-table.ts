/** What options there are: each with the name of its value, if it takes one, and what it is for. */
export type OptionTable = Readonly<Record<string, OptionUsage>>;

export interface OptionUsage {
  readonly value?: string;
  readonly isRepeatable?: boolean;
  readonly about: string;
}

/** An option's line in the help of a command. */
export function helpLineOf(name: string, { value, about }: OptionUsage): string {
  return `      --${name}${value === undefined ? '' : ` ${value}`}: ${about}`;
}

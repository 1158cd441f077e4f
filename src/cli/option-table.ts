/** What options there are: each with the name of its value, if it takes one, and what it is for. */
export type OptionTable = Readonly<Record<string, OptionUsage>>;

export interface OptionUsage {
  readonly value?: string;
  readonly isRepeatable?: boolean;
  readonly about: string;
}

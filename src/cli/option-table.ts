/** What options there are: each with the name of its value, if it takes one, and what it is for. */
export type OptionTable = Readonly<Record<string, OptionUsage>>;

interface OptionUsage {
  readonly value?: string;
  readonly about: string;
}

/** The options of a table and --help, as parseArgs takes them. `repeatable` may be given several times. */
export function parseOptionsOf(table: OptionTable, repeatable: string) {
  const options = Object.entries(table).map(([name, { value }]) => {
    const type = value === undefined ? ('boolean' as const) : ('string' as const);
    return [name, { type, multiple: name === repeatable }];
  });
  return { ...Object.fromEntries(options), help: { type: 'boolean' as const, short: 'h' } };
}

/** An option's line in the help of a command. */
export function helpLineOf(name: string, { value, about }: OptionUsage): string {
  return `      --${name}${value === undefined ? '' : ` ${value}`}: ${about}`;
}

import { Counter, Gauge, type Registry } from 'prom-client';

export const PREFIX = 'ironcached_';

/** The series of one name, which are read when they are scraped. */
export interface Family {
  /** Without PREFIX. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly rows: () => Iterable<Row> | Promise<Iterable<Row>>;
}

/** One series. */
export type Row = readonly [labels: Readonly<Record<string, string>>, value: number];

/** A single series without labels. `read` gives undefined where there is nothing to tell. */
export function single(name: string, help: string, read: () => number | undefined): Family {
  const rows = (): Row[] => {
    const value = read();
    return value === undefined ? [] : [[{}, value]];
  };
  return { name, help, rows };
}

export function addCounter(registry: Registry, family: Family): void {
  new Counter({
    ...described(family, registry),
    async collect() {
      const read = await family.rows();
      this.reset();
      for (const [labels, value] of read) this.inc(labels, value);
    },
  });
}

export function addGauge(registry: Registry, family: Family): void {
  new Gauge({
    ...described(family, registry),
    async collect() {
      const read = await family.rows();
      this.reset();
      // Without labels it would be 0 now, also where there is nothing to tell.
      if (!family.labels) this.remove();
      for (const [labels, value] of read) this.set(labels, value);
    },
  });
}

function described({ name, help, labels = [] }: Family, registry: Registry) {
  return { name: `${PREFIX}${name}`, help, labelNames: labels, registers: [registry] };
}

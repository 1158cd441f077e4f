import { readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { samplesIn } from '../support/prometheus-text.ts';
import { PROJECT, startService, TOKEN } from '../support/service.ts';
import { signIn, textClient } from '../support/text-client.ts';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly refId: string }[];
}

interface Dashboard {
  readonly uid: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] };
}

function read(name: string): string {
  return readFileSync(new URL(`../../deploy/monitoring/${name}`, import.meta.url), 'utf8');
}

const dashboard = JSON.parse(read('grafana/ironcached.json')) as Dashboard;
const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }): [title: string, expr: string] => [title, expr]),
);

/** What a service that was used and watched for a while tells. */
async function samples(): Promise<Map<string, number>> {
  const kept = ['--durability', 'snapshot', '--snapshot-interval', '1'];
  const service = await startService(['--metrics-port', '0', ...kept]);
  await service.rest('PUT', '/c/items/k', { value: 'v' });
  await service.rest('GET', '/c/items/k');
  const client = await textClient(service.memcachedPort);
  await client.ask(signIn(TOKEN, PROJECT, 'c'));
  const scrape = async () => (await fetch(`http://127.0.0.1:${service.metricsPort}/metrics`)).text();
  await scrape();
  return vi.waitFor(async () => {
    const there = samplesIn(await scrape());
    expect([...there.keys()]).toContain('ironcached_durability_saved_timestamp_seconds');
    return there;
  }, 10_000);
}

/** Each metric that a query asks for, with the labels that it names: `{l="x"}`, `{l=~"x"}`, `by (l)`. */
function askedFor(expr: string): { name: string; labels: string[] }[] {
  return [...expr.matchAll(/\b((?:ironcached|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', matchers = '']) => ({
      name,
      labels: [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
    }),
  );
}

// Prometheus itself adds these.
const OF_THE_SCRAPE = ['instance', 'job'];

describe('the Grafana dashboard', () => {
  test('asks for metrics and labels that there are', async () => {
    const there = [...(await samples()).keys()];
    const missing = [...queries, ...alerts()].flatMap(([title, expr]) =>
      askedFor(expr).flatMap(({ name, labels }) => {
        const own = there.filter((sample) => sample === name || sample.startsWith(`${name}{`));
        if (own.length === 0) return [`${title}: ${name}`];
        return labels
          .filter((label) => !OF_THE_SCRAPE.includes(label) && !own.some((s) => s.includes(`${label}="`)))
          .map((label) => `${title}: ${name}{${label}}`);
      }),
    );
    expect(missing).toEqual([]);
    expect(queries.length).toBeGreaterThan(40);
  });

  test('shows every metric of ours', async () => {
    const shown = [...queries, ...alerts()].flatMap(([, expr]) => askedFor(expr).map(({ name }) => name));
    const variables = JSON.stringify(dashboard.templating.list);
    const ours = [...(await samples()).keys()]
      .map((sample) => sample.replace(/\{.*/, ''))
      .filter((name) => name.startsWith('ironcached_') && !variables.includes(name));
    expect([...new Set(ours)].filter((name) => !shown.includes(name))).toEqual([]);
  });

  test('has panels with titles and descriptions that do not overlap', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
    const bare = panels.filter(({ type, description }) => type !== 'row' && !description);
    expect(bare.map(({ title }) => title)).toEqual([]);
  });

  test('uses no variable that it does not have', () => {
    const names = dashboard.templating.list.map(({ name }) => name);
    const used = [...JSON.stringify(dashboard.panels).matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name);
    expect(used.filter((name) => !name.startsWith('__') && !names.includes(name))).toEqual([]);
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(39);
  });
});

/** The alerts' names and expressions; each has its own line. */
function alerts(): [name: string, expr: string][] {
  const found = [...read('alerts.yml').matchAll(/alert: (\w+)\n\s+expr: (.*)/g)];
  return found.map(([, name = '', expr = '']) => [name, expr]);
}

test('there are alerts', () => {
  expect(alerts().length).toBe(read('alerts.yml').match(/- alert:/g)?.length);
});

import { describe, expect, test } from 'vitest';
import { testClock } from '../support/clock.ts';
import { namesIn, samplesIn } from '../support/prometheus-text.ts';
import { PROJECT, startService, type TestService, TOKEN } from '../support/service.ts';
import { signIn, textClient } from '../support/text-client.ts';

const WITH_LISTENER = ['--metrics-port', '0'];

async function scrape(service: TestService): Promise<Map<string, number>> {
  const response = await fetch(`http://127.0.0.1:${service.metricsPort}/metrics`);
  expect(response.status).toBe(200);
  return samplesIn(await response.text());
}

async function signedIn(service: TestService, cache = 'c') {
  const client = await textClient(service.memcachedPort);
  expect(await client.ask(signIn(TOKEN, PROJECT, cache))).toBe('STORED\r\n');
  return client;
}

describe('the metrics', () => {
  test('count what both doors did, by cache and in all', async () => {
    const service = await startService(WITH_LISTENER);
    await service.rest('PUT', '/c/items/k', { value: 'v' });
    await service.rest('GET', '/c/items/k');
    await service.rest('GET', '/c/items/none');
    const client = await signedIn(service, 'another "cache"\\');
    await client.ask('set a 0 0 1\r\nv\r\nget a b\r\ndelete a\r\nmn\r\n', 'MN\r\n');
    const samples = await scrape(service);
    const c = `{project="${PROJECT}",cache="c"}`;
    const another = `{project="${PROJECT}",cache="another \\"cache\\"\\\\"}`;
    expect(Object.fromEntries(samples)).toMatchObject({
      ironcached_hits_total: 2,
      ironcached_misses_total: 2,
      ironcached_sets_total: 2,
      ironcached_deletes_total: 1,
      ironcached_items: 1,
      ironcached_ready: 1,
      [`ironcached_cache_hits_total${c}`]: 1,
      [`ironcached_cache_misses_total${c}`]: 1,
      [`ironcached_cache_items${c}`]: 1,
      [`ironcached_cache_sets_total${another}`]: 1,
      [`ironcached_cache_hits_total${another}`]: 1,
      [`ironcached_cache_misses_total${another}`]: 1,
      [`ironcached_cache_deletes_total${another}`]: 1,
      [`ironcached_cache_items${another}`]: 0,
      'ironcached_cache_hits_total{project="other",cache="other"}': 0,
      'ironcached_caches{series="own"}': 2,
      'ironcached_caches{series="other"}': 0,
      'ironcached_info{version="1.2.3"}': 1,
    });
    expect(samples.get('ironcached_bytes')).toBe(samples.get(`ironcached_cache_bytes${c}`));
  });

  test('count requests by door, operation and how they ended', async () => {
    const service = await startService(WITH_LISTENER);
    await service.rest('PUT', '/c/items/k', { value: 'v' });
    await service.rest('GET', '/c/items/k');
    await service.rest('GET', '/c/items/none');
    await service.rest('GET', '/c/nowhere/');
    const client = await signedIn(service);
    await client.ask('get k\r\nget k k\r\nincr k 1\r\nbroken\r\nmn\r\n', 'MN\r\n');
    const samples = await scrape(service);
    const requests = [...samples].filter(([name]) => name.startsWith('ironcached_requests_total'));
    expect(Object.fromEntries(requests)).toEqual({
      'ironcached_requests_total{door="http",operation="putItem",status="200"}': 1,
      'ironcached_requests_total{door="http",operation="getItem",status="200"}': 1,
      'ironcached_requests_total{door="http",operation="getItem",status="404"}': 1,
      'ironcached_requests_total{door="http",operation="other",status="404"}': 1,
      'ironcached_requests_total{door="memcached",operation="sign_in",status="ok"}': 1,
      'ironcached_requests_total{door="memcached",operation="get",status="ok"}': 2,
      'ironcached_requests_total{door="memcached",operation="incr",status="ok"}': 1,
      'ironcached_requests_total{door="memcached",operation="refused",status="client_error"}': 1,
      'ironcached_requests_total{door="memcached",operation="mn",status="ok"}': 1,
    });
  });

  test('tell how long requests took, each in a bucket', async () => {
    const service = await startService(WITH_LISTENER);
    await service.rest('GET', '/c/items/none');
    const client = await signedIn(service);
    await client.ask(`${'get k\r\n'.repeat(1000)}mn\r\n`, 'MN\r\n');
    const samples = await scrape(service);
    const name = 'ironcached_request_duration_seconds';
    for (const [labels, requests] of [
      ['door="http",operation="getItem"', 1],
      ['door="memcached",operation="get"', 1000],
    ] as const) {
      const buckets = [...samples].filter(([sample]) => sample.startsWith(`${name}_bucket{${labels},le="`));
      expect(buckets).toHaveLength(19);
      const counts = buckets.map(([, count]) => count);
      expect(counts).toEqual(counts.toSorted((a, b) => a - b));
      expect(samples.get(`${name}_bucket{${labels},le="+Inf"}`)).toBe(requests);
      expect(samples.get(`${name}_count{${labels}}`)).toBe(requests);
      expect(samples.get(`${name}_sum{${labels}}`)).toBeGreaterThan(0);
    }
  });

  test('count connections and failed sign-ins by door', async () => {
    const service = await startService([...WITH_LISTENER, '--max-connections', '2']);
    await textClient(service.memcachedPort);
    const client = await textClient(service.memcachedPort);
    expect(await client.ask(signIn('wrong', PROJECT, 'c'))).toBe('CLIENT_ERROR authentication failure\r\n');
    const third = await textClient(service.memcachedPort);
    expect(await third.rest()).toContain('Too many open connections');
    await service.rest('GET', '/c/items/k', undefined, { authorization: 'OAuth wrong', connection: 'close' });
    expect(Object.fromEntries(await scrape(service))).toMatchObject({
      'ironcached_connections{door="memcached"}': 2,
      'ironcached_connections_accepted_total{door="memcached"}': 2,
      'ironcached_connections_refused_total{door="memcached"}': 1,
      'ironcached_sign_in_failures_total{door="memcached"}': 1,
      'ironcached_connections_accepted_total{door="http"}': 1,
      'ironcached_connections_refused_total{door="http"}': 0,
      'ironcached_sign_in_failures_total{door="http"}': 1,
    });
  });

  test('count what was evicted, what expired, and what was refused', async () => {
    const clock = testClock();
    const flags = [...WITH_LISTENER, '--memory-limit', '4mb', '--max-item-size', '64kb'];
    const service = await startService(flags, { clock });
    const client = await signedIn(service);
    await client.ask('set brief 0 1 1\r\nv\r\n');
    clock.advance(2000);
    for (let i = 0; i < 150; i++) await client.ask(`set k${i} 0 0 60000\r\n${'x'.repeat(60_000)}\r\n`);
    await client.ask(`set large 0 0 70000\r\n${'x'.repeat(70_000)}\r\n`);
    const large = { value: 'x'.repeat(70_000) };
    expect((await service.rest('PUT', '/c/items/large', large)).status).toBe(413);
    const samples = await scrape(service);
    const labels = `{project="${PROJECT}",cache="c"}`;
    expect(samples.get('ironcached_evictions_total')).toBeGreaterThan(80);
    expect(samples.get(`ironcached_cache_evictions_total${labels}`)).toBe(
      samples.get('ironcached_evictions_total'),
    );
    expect(samples.get('ironcached_expirations_total')).toBe(1);
    expect(samples.get(`ironcached_cache_expirations_total${labels}`)).toBe(1);
    expect(samples.get('ironcached_refused_writes_total{reason="value_too_large"}')).toBe(2);
    expect(samples.get('ironcached_bytes_max')).toBe(4 * 1024 * 1024);
    expect(samples.get('ironcached_bytes_taken')).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(samples.get('ironcached_memory_bytes{kind="store"}')).toBe(samples.get('ironcached_bytes_taken'));
  });

  test('have series for no more caches than they may', async () => {
    const service = await startService([...WITH_LISTENER, '--metrics-max-caches', '2']);
    for (const cache of ['a', 'b', 'c', 'd']) await service.rest('PUT', `/${cache}/items/k`, { value: 1 });
    const samples = await scrape(service);
    const rows = [...samples.keys()].filter((name) => name.startsWith('ironcached_cache_items{'));
    expect(rows).toHaveLength(3);
    expect(samples.get('ironcached_cache_items{project="other",cache="other"}')).toBe(2);
    expect(samples.get('ironcached_caches{series="other"}')).toBe(2);
  });

  test('have no NUL, at which Prometheus gives up the whole scrape, whatever clients call their caches', async () => {
    const service = await startService(WITH_LISTENER);
    await service.rest('PUT', '/a%00b/items/k', { value: 'v' });
    const response = await fetch(`http://127.0.0.1:${service.metricsPort}/metrics`);
    const text = await response.text();
    expect(text).not.toContain('\0');
    expect(samplesIn(text).get(`ironcached_cache_items{project="${PROJECT}",cache="a\u2400b"}`)).toBe(1);
  });

  test('tell of the process: memory by kind, event loop, garbage collection, processor, files', async () => {
    const service = await startService(WITH_LISTENER);
    const response = await fetch(`http://127.0.0.1:${service.metricsPort}/metrics`);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await response.text();
    const names = namesIn(text);
    for (const name of [
      'ironcached_event_loop_delay_seconds',
      'ironcached_event_loop_seconds_total',
      'nodejs_gc_duration_seconds_count',
      'nodejs_heap_size_used_bytes',
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'process_start_time_seconds',
    ]) {
      expect(names).toContain(name);
    }
    const samples = samplesIn(text);
    for (const kind of ['store', 'heap', 'buffers']) {
      expect(samples.get(`ironcached_memory_bytes{kind="${kind}"}`)).toBeGreaterThanOrEqual(0);
    }
    expect([...samples.values()].filter(Number.isNaN)).toEqual([]);
  });

  test('are the same for all who ask at once', async () => {
    const service = await startService(WITH_LISTENER);
    const url = `http://127.0.0.1:${service.metricsPort}/metrics`;
    const texts = await Promise.all(Array.from({ length: 5 }, async () => (await fetch(url)).text()));
    expect(texts.every((text) => text.includes('ironcached_hits_total 0'))).toBe(true);
  });
});

import { type Answer, after } from '../../engine/answer.ts';
import type { Statistics } from '../../engine/statistics.ts';
import type { CacheInfo } from '../../engine/store.ts';
import type { RequestOf } from '../requests/request.ts';
import { MEMCACHED_VERSION } from '../server-status.ts';
import { cachedump } from './cachedump.ts';
import { type CommandContext, reply } from './context.ts';

type Row = readonly [name: string, value: string | number];

/**
 * stats and its topics, under memcached's names so that dashboards and exporters work. What can be told
 * of items and commands is that of the signed-in cache alone; the server's own state is every client's.
 */
export function stats({ words }: RequestOf<'stats'>, context: CommandContext): Answer<void> {
  const [topic] = words;
  switch (topic) {
    case undefined:
      return after(context.cache.info(), (info) => writeRows(context, generalRows(info, context)));
    case 'settings':
      return writeRows(context, settingsRows(context));
    case 'items':
      return after(context.cache.info(), (info) => writeRows(context, itemsRows(info, context)));
    case 'slabs':
      return after(context.cache.info(), (info) => writeRows(context, slabsRows(info, context)));
    case 'sizes':
      return writeRows(context, [['sizes_status', 'disabled']]);
    case 'conns':
      // Other clients' connections are other tenants' business.
      return writeRows(context, []);
    case 'reset':
      context.cache.statistics.reset();
      return reply(context, 'RESET');
    case 'detail':
      return reply(context, 'CLIENT_ERROR usage: stats detail on|off|dump');
    case 'cachedump':
      return cachedump(words, context);
    default:
      return reply(context, 'ERROR');
  }
}

function writeRows({ output }: CommandContext, rows: readonly Row[]): void {
  for (const [name, value] of rows) output.text(`STAT ${name} ${value}\r\n`);
  output.text('END\r\n');
}

function generalRows(info: CacheInfo | undefined, context: CommandContext): Row[] {
  const { server, cache } = context;
  const { statistics } = cache;
  const { now, unixNow } = context.clock;
  const usage = process.cpuUsage();
  return [
    ['pid', process.pid],
    ['uptime', Math.floor((now() - server.startedAt) / 1000)],
    ['time', Math.floor(unixNow() / 1000)],
    ['version', MEMCACHED_VERSION],
    ['ironcached_version', server.version],
    ['pointer_size', 64],
    ['rusage_user', (usage.user / 1e6).toFixed(6)],
    ['rusage_system', (usage.system / 1e6).toFixed(6)],
    ['max_connections', server.maxConnections],
    ['curr_connections', server.connections.current],
    ['total_connections', server.connections.total],
    ['rejected_connections', server.connections.rejected],
    ['cmd_get', statistics.getHits + statistics.getMisses],
    ['cmd_set', statistics.sets],
    ['cmd_flush', statistics.flushes],
    ['cmd_touch', statistics.touchHits + statistics.touchMisses],
    ['cmd_meta', statistics.metaCommands],
    ['get_hits', statistics.getHits],
    ['get_misses', statistics.getMisses],
    ['get_expired', 0],
    ['get_flushed', 0],
    ['delete_misses', statistics.deleteMisses],
    ['delete_hits', statistics.deleteHits],
    ['incr_misses', statistics.incrMisses],
    ['incr_hits', statistics.incrHits],
    ['decr_misses', statistics.decrMisses],
    ['decr_hits', statistics.decrHits],
    ['cas_misses', statistics.casMisses],
    ['cas_hits', statistics.casHits],
    ['cas_badval', statistics.casBadval],
    ['touch_hits', statistics.touchHits],
    ['touch_misses', statistics.touchMisses],
    ['store_too_large', statistics.tooLarge],
    ['store_no_memory', statistics.outOfMemory],
    ['auth_cmds', server.signIns.total],
    ['auth_errors', server.signIns.failed],
    ['bytes_read', server.bytes.read],
    ['bytes_written', server.bytes.written],
    ['limit_maxbytes', server.memoryBytesMax],
    ['accepting_conns', 1],
    ['listen_disabled_num', 0],
    ['threads', 1],
    ['hash_power_level', 0],
    ['hash_bytes', 0],
    ['hash_is_expanding', 0],
    ['bytes', info?.bytes ?? 0],
    ['curr_items', info?.items ?? 0],
    ['total_items', itemsStored(statistics)],
    ['expired_unfetched', 0],
    ['evicted_unfetched', 0],
    ['evictions', info?.evictions ?? 0],
    ['reclaimed', info?.expirations ?? 0],
  ];
}

function itemsStored({ sets, notStored, casBadval, casMisses, made }: Statistics): number {
  return sets - notStored - casBadval - casMisses + made;
}

function settingsRows({ server, cache }: CommandContext): Row[] {
  return [
    ['maxbytes', server.memoryBytesMax],
    ['maxconns', server.maxConnections],
    ['tcpport', server.address.port],
    ['udpport', 0],
    ['inter', server.address.host],
    ['verbosity', 0],
    ['oldest', 0],
    ['evictions', cache.evicts ? 'on' : 'off'],
    ['domain_socket', 'NULL'],
    ['growth_factor', '1.00'],
    ['chunk_size', 48],
    ['num_threads', 1],
    ['stat_key_prefix', ':'],
    ['detail_enabled', 'no'],
    ['reqs_per_event', 0],
    ['cas_enabled', 'yes'],
    ['tcp_backlog', 511],
    ['binding_protocol', 'ascii'],
    ['auth_enabled_sasl', 'no'],
    ['auth_enabled_ascii', 'yes'],
    ['item_size_max', server.valueBytesMax],
    ['maxconns_fast', 'yes'],
    ['lru_crawler', 'yes'],
    ['flush_enabled', 'yes'],
    ['dump_enabled', 'yes'],
    ['idle_timeout', server.idleTimeoutSeconds],
  ];
}

// There are no slab classes here; exporters find the whole cache in class 1, or nothing in an empty one.
function itemsRows(info: CacheInfo | undefined, { cache }: CommandContext): Row[] {
  if (!info || info.items === 0) return [];
  return [
    ['items:1:number', info.items],
    ['items:1:age', 0],
    ['items:1:mem_requested', info.bytes],
    ['items:1:evicted', info.evictions],
    ['items:1:evicted_nonzero', 0],
    ['items:1:evicted_time', 0],
    ['items:1:outofmemory', cache.statistics.outOfMemory],
    ['items:1:tailrepairs', 0],
    ['items:1:reclaimed', info.expirations],
    ['items:1:expired_unfetched', 0],
    ['items:1:evicted_unfetched', 0],
  ];
}

function slabsRows(info: CacheInfo | undefined, { cache }: CommandContext): Row[] {
  const totals: Row[] = [
    ['active_slabs', info && info.items > 0 ? 1 : 0],
    ['total_malloced', info?.bytes ?? 0],
  ];
  if (!info || info.items === 0) return totals;
  const { statistics } = cache;
  return [
    ['1:chunk_size', Math.ceil(info.bytes / info.items)],
    ['1:chunks_per_page', info.items],
    ['1:total_pages', 1],
    ['1:total_chunks', info.items],
    ['1:used_chunks', info.items],
    ['1:free_chunks', 0],
    ['1:free_chunks_end', 0],
    ['1:get_hits', statistics.getHits],
    ['1:cmd_set', statistics.sets],
    ['1:delete_hits', statistics.deleteHits],
    ['1:incr_hits', statistics.incrHits],
    ['1:decr_hits', statistics.decrHits],
    ['1:cas_hits', statistics.casHits],
    ['1:cas_badval', statistics.casBadval],
    ['1:touch_hits', statistics.touchHits],
    ...totals,
  ];
}

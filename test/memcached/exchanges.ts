import { arithmetic } from './exchanges/arithmetic.ts';
import { type Exchange, numbered } from './exchanges/exchange.ts';
import { metaArithmetic } from './exchanges/meta-arithmetic.ts';
import { metaGet } from './exchanges/meta-get.ts';
import { metaDelete, metaSet } from './exchanges/meta-set.ts';
import { others } from './exchanges/others.ts';
import { retrieval } from './exchanges/retrieval.ts';
import { storage } from './exchanges/storage.ts';

/*
 * What is not in this table, because ironcached answers otherwise on purpose:
 *
 * - Flags of memcached newer than 1.6.18: E (explicit cas), x (remove the value), N with ms (autovivify
 *   an append), and the length written S100 with ms.
 * - `stats` and its topics: the names are memcached's, the values concern the signed-in cache. Settings,
 *   sizes and prefixes cannot be changed (`stats detail on`).
 *   `stats cachedump` lists all items as class 1.
 * - slabs, lru, cache_memlimit, extstore: refused, since they concern all tenants. `watch` answers as a
 *   memcached does whose owner has forbidden it.
 * - `lru_crawler metadump` need not be the first command of a packet; memcached refuses it otherwise.
 *   `lru_crawler crawl` is always OK: memcached may say that there is nothing to crawl, or that it is busy.
 * - A get with a key that is too long, behind other commands in one packet: memcached drops the answers
 *   to those. So it does before it closes (HTTP, an endless line). ironcached sends them.
 * - A value may have exactly the limit's bytes; memcached counts its header and the key against it.
 * - The key that `k` and `me` tell is in base64 where the command's was; memcached goes by the command
 *   that stored the item, and so may send a key with line ends in it.
 * - `ma` and `mg` with an opaque that is too long do nothing; memcached changes the item, then refuses.
 * - `ma T` that makes the number longer sets the expiry; memcached sets it on the item that it has just
 *   replaced. While an answer in the same packet still holds an item, its counters do not change in place.
 * - `t` of an item that has just expired is 0; memcached tells a number below 2^32.
 * - A line of more than 2048 bytes that is no get: memcached closes unless the line came in one packet.
 */

/** Everything that memcached and ironcached must answer alike, to the byte. */
export const exchanges: readonly Exchange[] = numbered([
  ...storage,
  ...retrieval,
  ...arithmetic,
  ...others,
  ...metaGet,
  ...metaSet,
  ...metaDelete,
  ...metaArithmetic,
]);

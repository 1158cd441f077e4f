import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { Config } from '../config.ts';
import { LRU_CACHE_BYTES_MAX } from '../storage/lru-cache.ts';

const MIB = 1024 * 1024;

/** What the process needs besides items: the program, connections, what is on its way. Measured. */
const OTHER_MEMORY_BYTES = 192 * MIB;

const AUTO_BYTES_MIN = 64 * MIB;
const AUTO_BYTES_MAX = 32 * 1024 * MIB;

/** The default: this part of a machine, which others use as well, and more of what a container has left. */
const SHARE_OF_MACHINE = 1 / 4;
const SHARE_OF_CONTAINER = 3 / 4;

// Of what lru-cache counts, at most so much lies on Node's heap: all but the bytes of values.
const HEAP_SHARE = 0.8;

/** How much memory there is, in bytes. */
export interface Memory {
  readonly machine: number;
  /** What a container (cgroup) allows, if that is less. */
  readonly container: number | undefined;
  /** What Node's heap may grow to. */
  readonly heap: number;
}

/** What all items may take, in bytes: as said, or by what there is. Throws where that cannot be, and says why. */
export function memoryLimit(
  { memoryLimit: said, store }: Pick<Config, 'memoryLimit' | 'store'>,
  memory: Memory = thisMemory(),
): number {
  const most = store === 'lru-cache' ? lruCacheMost(memory) : undefined;
  if (said === 'auto') return Math.min(autoLimit(memory), most?.bytes ?? AUTO_BYTES_MAX);
  const { machine, container } = memory;
  if (container !== undefined && said > container) {
    throw new RangeError(`${inMib(said)} are more than this container may use, ${inMib(container)}`);
  }
  if (said > machine)
    throw new RangeError(`${inMib(said)} are more than this machine has, ${inMib(machine)}`);
  if (most && said > most.bytes) throw new RangeError(most.reason);
  return said;
}

function thisMemory(): Memory {
  const machine = totalmem();
  // Where nothing is constrained, this is 0 or more than there is.
  const allowed = process.constrainedMemory();
  return {
    machine,
    container: allowed > 0 && allowed < machine ? allowed : undefined,
    heap: getHeapStatistics().heap_size_limit,
  };
}

function autoLimit({ machine, container }: Memory): number {
  const share =
    container === undefined
      ? machine * SHARE_OF_MACHINE
      : (container - OTHER_MEMORY_BYTES) * SHARE_OF_CONTAINER;
  return Math.floor(Math.min(AUTO_BYTES_MAX, Math.max(AUTO_BYTES_MIN, share)) / MIB) * MIB;
}

function lruCacheMost({ heap }: Memory): { bytes: number; reason: string } {
  const bytes = Math.floor((heap - OTHER_MEMORY_BYTES) / HEAP_SHARE / MIB) * MIB;
  if (LRU_CACHE_BYTES_MAX < bytes) {
    const reason = `lru-cache holds at most ${inMib(LRU_CACHE_BYTES_MAX)}: choose less, or the store arena`;
    return { bytes: LRU_CACHE_BYTES_MAX, reason };
  }
  const flag = 'NODE_OPTIONS=--max-old-space-size=MEGABYTES';
  const reason = `lru-cache keeps items on Node's heap, which has room for ${inMib(bytes)}: choose less, raise it by ${flag}, or choose the store arena`;
  return { bytes, reason };
}

function inMib(bytes: number): string {
  return `${Math.floor(bytes / MIB)} MiB`;
}

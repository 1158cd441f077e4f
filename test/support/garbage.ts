import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** Which of some objects are still kept by somebody: the garbage is collected first. */
export function kept(references: readonly WeakRef<object>[]): number {
  collect();
  return references.filter((reference) => reference.deref() !== undefined).length;
}

/** How much of the JavaScript heap is in use, without garbage. */
export function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

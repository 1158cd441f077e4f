/**
 * Keeps the last object of a kind alive. When V8 collects to save memory (when little happens, else every 100
 * seconds), it forgets the shapes of objects of which none is left, and throws away all code compiled for them:
 * clients that came back after all had left waited for up to 140 ms.
 */
export class LastOfKind<Kind extends object> {
  /** Never read. */
  object: Kind | undefined;
}

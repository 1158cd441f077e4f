/**
 * Holds the last object of a kind, so that there always is one. V8 sometimes collects to use less memory: when little
 * happens, and else each 100 seconds. It then forgets what objects look like of which none is left, and throws away all
 * code that was compiled for them. So clients that came back after all had left waited for up to 140 ms.
 */
export class LastOfKind<Kind extends object> {
  /** Nobody asks for it. */
  object: Kind | undefined;
}

/** Holds answers back until the changes that they confirm are kept. */
export interface CommitGate {
  /** May an answer leave at once? */
  readonly isOpen: boolean;
  /** Calls once: when what was changed until now is kept (true), or cannot be (false). */
  wait(told: (isKept: boolean) => void): void;
}

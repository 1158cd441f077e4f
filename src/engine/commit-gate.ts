/** Holds answers back until what they tell may be told, because it is kept. */
export interface CommitGate {
  /** May an answer leave at once? */
  readonly isOpen: boolean;
  /** Tells once when what was changed until now is kept, or (false) that it cannot be. */
  wait(told: (isKept: boolean) => void): void;
}

import { type Family, single } from './family.ts';

/** What there is to tell of how items are kept. */
export interface DurabilityFigures {
  /** What was changed and is not kept yet, and for how long the oldest of it waits. */
  readonly lagBytes: number;
  readonly lagSeconds: number;
  /** What the files take. */
  readonly fileBytes: number;
  /** When all items were last written, in ms since the epoch; how long that took, and how much it was. */
  readonly savedAt: number | undefined;
  readonly savedSeconds: number;
  readonly savedBytes: number;
  readonly failures: number;
  readonly restoreSeconds: number;
}

export type DurabilitySource = () => DurabilityFigures | undefined;

export function durabilityCounter(durability: DurabilitySource): Family {
  const help = 'Writes to disk that failed since the start, each try counted.';
  return single('durability_failures_total', help, () => durability()?.failures);
}

export function durabilityGauges(durability: DurabilitySource): Family[] {
  const gauge = (name: string, help: string, figure: Exclude<keyof DurabilityFigures, 'savedAt'>) =>
    single(`durability_${name}`, help, () => durability()?.[figure]);
  return [
    gauge('lag_bytes', 'Changes that are not kept on disk yet.', 'lagBytes'),
    gauge('lag_seconds', 'For how long the oldest of them waits.', 'lagSeconds'),
    gauge('file_bytes', 'What the files take that items are kept in.', 'fileBytes'),
    single(
      'durability_saved_timestamp_seconds',
      'When all items were last written: by a snapshot, or when the log was written anew.',
      () => {
        const { savedAt } = durability() ?? {};
        return savedAt === undefined ? undefined : savedAt / 1000;
      },
    ),
    gauge('saved_duration_seconds', 'How long that took.', 'savedSeconds'),
    gauge('saved_bytes', 'How much that was.', 'savedBytes'),
    gauge('restore_seconds', 'How long it took at the start to restore the items.', 'restoreSeconds'),
  ];
}

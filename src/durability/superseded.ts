import type { DurabilityLogger } from './durability-logger.ts';
import type { GenerationFile, ItemDirectory } from './item-directory.ts';

interface SupersededParts {
  readonly directory: ItemDirectory;
  readonly log: Pick<DurabilityLogger, 'warn'>;
}

/**
 * Removes files whose place another has taken. Nothing reads them any more, so one that cannot be removed, as where
 * something else holds it, is told of and left: it goes when the next file takes the place of all, or at a start.
 */
export async function removeSuperseded(
  { directory, log }: SupersededParts,
  files: readonly GenerationFile[],
): Promise<void> {
  for (const file of files) {
    try {
      await directory.remove([file]);
    } catch (err) {
      const details = { err, file: directory.pathOf(file) };
      log.warn(
        details,
        'a file that is no longer needed cannot be removed: it takes up room, and nothing else',
      );
    }
  }
}

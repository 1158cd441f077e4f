/** What was done to one cache (or to all), counted since it was first used. memcached's names. */
export class Statistics {
  getHits = 0;
  getMisses = 0;
  sets = 0;
  /** Of the sets, those that stored nothing; but casBadval and casMisses count those of a wrong version. */
  notStored = 0;
  /** Items that were made where none was by what is no set: by a read or an increment. */
  made = 0;
  deleteHits = 0;
  deleteMisses = 0;
  incrHits = 0;
  incrMisses = 0;
  decrHits = 0;
  decrMisses = 0;
  casHits = 0;
  casMisses = 0;
  casBadval = 0;
  touchHits = 0;
  touchMisses = 0;
  flushes = 0;
  metaCommands = 0;
  tooLarge = 0;
  outOfMemory = 0;

  reset(): void {
    Object.assign(this, new Statistics());
  }
}

export type Counter = Exclude<keyof Statistics, 'reset'>;

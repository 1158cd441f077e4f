import type { Item } from '../../src/engine/item.ts';

/** An item as a store would give it. */
export function itemOf(fields: Omit<Item, 'valueLength' | 'copyValue'>): Item {
  return {
    ...fields,
    valueLength: fields.value.length,
    copyValue: (target, at) => {
      fields.value.copy(target, at);
    },
  };
}

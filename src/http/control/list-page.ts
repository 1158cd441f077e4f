/** One page of a list by id: what stands behind the id that was the last one of the page before. */
export function pageBehind<T extends { readonly id: string }>(
  all: readonly T[],
  { previous = '', per_page: length }: { readonly previous?: string | undefined; readonly per_page: number },
): T[] {
  return all
    .filter(({ id }) => id > previous)
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .slice(0, length);
}

/** Returns the items in random order, so that no host is always first, or always beyond a limit. */
export function shuffle<T>(items: Iterable<T>): T[] {
  return [...items]
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

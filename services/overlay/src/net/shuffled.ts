/** In another order each time, so that nobody is always first, or always beyond a limit. */
export function shuffled<T>(items: Iterable<T>): T[] {
  return [...items]
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

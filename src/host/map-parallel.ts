/** One function over many items, a few at a time. */

/**
 * Calls `work` for every item, at most `width` at once, and returns the results in the order of the items.
 * After the first failure no new item is begun; it is thrown when those under way have ended.
 */
export async function mapParallel<Item, Result>(
  items: readonly Item[],
  width: number,
  work: (item: Item) => Promise<Result>,
  signal?: AbortSignal,
): Promise<readonly Result[]> {
  const results = new Map<number, Result>();
  const failures: unknown[] = [];
  const queue = items.entries();
  async function drain(): Promise<void> {
    for (const [index, item] of queue) {
      if (failures.length > 0) return;
      try {
        signal?.throwIfAborted();
        results.set(index, await work(item));
      } catch (error) {
        failures.push(error);
      }
    }
  }
  await Promise.all(Array.from({ length: width }, drain));
  if (failures.length > 0) throw failures[0];
  return [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
}

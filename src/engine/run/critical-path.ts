/** The critical path of a graph: what decides which node is worth starting first. */

/** For each node the seconds from its start to the end of the longest chain of dependents. `nodes` has needs before dependents. */
export function criticalPaths<Id>(
  nodes: ReadonlyMap<Id, readonly Id[]>,
  dependents: ReadonlyMap<Id, readonly Id[]>,
  cost: (id: Id) => number,
): ReadonlyMap<Id, number> {
  const paths = new Map<Id, number>();
  // In reverse every dependent is known.
  for (const id of [...nodes.keys()].reverse()) {
    let longest = 0;
    for (const dependent of dependents.get(id) ?? []) longest = Math.max(longest, paths.get(dependent) ?? 0);
    paths.set(id, longest + cost(id));
  }
  return paths;
}

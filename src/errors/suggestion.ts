/**
 * Finding the name that somebody probably meant. It does not know what the names are of.
 */

/** Edits (insert, delete, replace, swap of neighbours) from one text to another, or `limit + 1` when more. */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    if (Math.min(...row) > limit) return limit + 1;
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** The known names nearest to `name`: none that differs by more than the best one, at most three. */
export function nearest(name: string, known: Iterable<string>): readonly string[] {
  const stem = (text: string): string => text.toLowerCase().replace(/\.[^.]*$/, "");
  const wanted = stem(name);
  const limit = Math.max(1, Math.min(3, Math.floor(wanted.length / 3)));
  const found: { readonly name: string; readonly distance: number }[] = [];
  for (const candidate of known) {
    const distance = editDistance(wanted, stem(candidate), limit);
    if (distance <= limit) found.push({ name: candidate, distance });
  }
  found.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  return found
    .filter((match) => match.distance === found[0]?.distance)
    .slice(0, 3)
    .map((match) => match.name);
}

/** `did you mean a, b or c?`, or undefined when nothing is near. */
export function didYouMean(name: string, known: Iterable<string>): string | undefined {
  const names = nearest(name, known);
  if (names.length === 0) return undefined;
  const last = names.at(-1);
  return `did you mean ${names.length === 1 ? last : `${names.slice(0, -1).join(", ")} or ${last}`}?`;
}

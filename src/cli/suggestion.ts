/** Did-you-mean: which known name a mistyped one is close to. */

/** The closest candidates, best first; empty when none is close. */
export function suggest(word: string, candidates: Iterable<string>): readonly string[] {
  const limit = Math.max(1, Math.floor(word.length / 3));
  return [...new Set(candidates)]
    .map((candidate) => ({ candidate, distance: distanceOf(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= limit || candidate.startsWith(word))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** `did you mean "a" or "b"?`, or undefined. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const close = suggest(word, candidates);
  return close.length === 0 ? undefined : `did you mean ${close.map((name) => `"${name}"`).join(" or ")}?`;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
function distanceOf(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (before[j - 2] ?? 0) + 1);
      }
      row.push(best);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/**
 * The pins that production images have nothing to do with: what they leave out, and what only that needs. Whether these
 * are pinned must not make a production image's steps run again.
 */
import { entryOf, parseExtensionList, type SourceLock } from "../../src/fetch/index.ts";

/** What production images leave out, with all that nothing else needs. */
export const developmentOnly: readonly string[] = ["openssh.tcz"];

/** Names in the lock that only `developmentOnly` leads to, when these are the texts of the lists. */
export function developmentPins(pins: SourceLock, lists: readonly string[]): ReadonlySet<string> {
  const listed = lists.flatMap((text) => parseExtensionList(text, "").entries.map(({ name }) => name));
  const kept = reach(
    pins,
    listed.filter((name) => !developmentOnly.includes(name)),
  );
  const left = [...reach(pins, developmentOnly)].filter((name) => !kept.has(name));
  return new Set(left.flatMap((name) => [name, `${name}.info`, `${name}.list`]));
}

/** All that these names lead to by the dependencies in the lock, themselves included, whatever the kernel. */
function reach(pins: SourceLock, names: readonly string[]): ReadonlySet<string> {
  const reached = new Set<string>();
  const pending = [...names];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    for (const match of name.includes("-KERNEL.") ? namesLike(pins, name) : [name]) {
      if (reached.has(match)) continue;
      reached.add(match);
      pending.push(...(entryOf(pins, match)?.deps ?? []));
    }
  }
  return reached;
}

function namesLike(pins: SourceLock, generic: string): readonly string[] {
  const [start = "", end = ""] = generic.split("-KERNEL.");
  return [...pins.keys()].filter((name) => name.startsWith(`${start}-`) && name.endsWith(`.${end}`));
}

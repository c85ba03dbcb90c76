/** Modes on disk that the image does not get, in a sentence. */
import { printName, type TreeNode } from "../../src/formats/index.ts";
import { octal } from "../settings/disk-modes.ts";
import { tightMode } from "./tight-modes.ts";

/** How many files the sentence names. */
const namedFiles = 10;

/**
 * Names the files and directories that lose a set-id or sticky bit, become readable by others, or are no longer writable by others;
 * undefined where there are none. `nodeAt` gives the image's entries, `modes` those on disk that count, by the same paths; `overlay` is
 * how messages call the directory.
 */
export function describeLostModes(
  nodeAt: (path: string) => TreeNode | undefined,
  modes: ReadonlyMap<string, number>,
  overlay: string,
): string | undefined {
  const lost = [...modes].flatMap(([name, onDisk]) => {
    const node = nodeAt(name);
    if (node === undefined || !isLost(name, node, onDisk)) return [];
    return [`${printName(name)} (${octal(onDisk)} on disk, ${octal(node.mode)} in the image)`];
  });
  if (lost.length === 0) return undefined;
  const more = lost.length > namedFiles ? `, and ${lost.length - namedFiles} more` : "";
  return (
    `${overlay}: a rule sets modes, since git keeps only the executable bit; ` +
    `these files have others: ${lost.slice(0, namedFiles).join(", ")}${more}`
  );
}

function isLost(name: string, { type, mode }: TreeNode, onDisk: number): boolean {
  if ((onDisk & ~mode & 0o7000) !== 0 || (mode & ~onDisk & 0o004) !== 0) return true;
  // A secret that all may write is a mistake, which the rule corrects.
  return (onDisk & ~mode & 0o002) !== 0 && tightMode(name, type) === undefined;
}

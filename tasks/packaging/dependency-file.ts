/**
 * The dependencies that a project writes for an extension of its own, corrected where tce-load would misread them.
 *
 * Format: Core-scripts, usr/bin/tce-load: each word of the file is the file name of an extension, and `-KERNEL.tcz` in it means the
 * running kernel's release.
 */
import { contentLines } from "../../src/fetch/index.ts";
import { ownExtensionError } from "./own-extension-error.ts";

interface CorrectedDependencies {
  /** File names, each once, in their order; `-KERNEL` is not filled in. */
  readonly names: readonly string[];
  /** One sentence for each word that is not as it was written. */
  readonly notes: readonly string[];
}

/**
 * Reads the text of a `.dep` file, named `where` in messages, of the extension `self` (`hello.tcz`).
 * @throws UserError `own-extension` for a word that cannot be an extension's name
 */
export function correctDependencies(text: string, self: string, where: string): CorrectedDependencies {
  const names = new Set<string>();
  const notes: string[] = [];
  for (const { number, text: line } of contentLines(text)) {
    const at = `${where}:${number}`;
    for (const word of line.split(/[ \t]+/)) {
      const name = word.endsWith(".tcz") ? word : `${word}.tcz`;
      if (!/^[\w+~@%][\w+.~@%:,=-]*\.tcz$/.test(name) || name.includes(".."))
        throw ownExtensionError(
          `"${word}" is not the name of an extension`,
          at,
          "write file names of extensions, such as readline.tcz",
        );
      if (name !== word) notes.push(`${at}: ${word} is read as ${name}`);
      if (name === self) notes.push(`${at}: ${self} does not need itself: the line is left out`);
      else if (names.has(name)) notes.push(`${at}: ${name} is already there`);
      else names.add(name);
    }
  }
  return { names: [...names], notes };
}

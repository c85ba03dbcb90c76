/** Which extensions the project has of its own: what lies in `extensions/`. */
import { type Dirent, readdirSync } from "node:fs";
import path from "node:path";
import { type Parameter, param } from "../../src/engine/index.ts";

/** Relative to the workspace. */
export const extensionsDirectory = "extensions";

/**
 * What lies in the directory, in byte order: names of files, and those of directories with a slash behind them. Hidden files and
 * those that only explain (`README`, `README.md`) are left out. Empty without the directory.
 */
export const extensionEntries: Parameter<readonly string[]> = param.derived({
  name: "extension-entries",
  description: "files and directories in extensions/",
  default: (host) => {
    const root = path.join(host.root, extensionsDirectory);
    host.dependsOn("own extensions", async () => ({ paths: [root], isWhole: true }));
    return entriesOf(root)
      .filter(({ name }) => !/^(\.|README(\.|$))/.test(name))
      .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  },
});

/** File names of the extensions that these entries are or become, each once: `hello.tcz`, `driver-KERNEL.tcz`. */
export function ownNames(entries: readonly string[]): readonly string[] {
  return [
    ...new Set(
      entries
        .filter((entry) => entry.endsWith("/") || entry.endsWith(".tcz"))
        .map((entry) => entry.replace(/\/$/, ".tcz")),
    ),
  ];
}

/** None for a directory that is not there or cannot be read: the step that reads its files reports that. */
function entriesOf(directory: string): readonly Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}

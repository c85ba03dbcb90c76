/** Pins the repositories' metadata as it is now, and says in words what the tree gets by it. */
import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { command } from "../../src/engine/index.ts";
import { UsageError } from "../../src/errors/index.ts";
import { type Change, describeChanges, entryOf, type SourceLock } from "../../src/fetch/index.ts";
import { kindOf } from "../source/kinds/index.ts";
import { readPins, writePins } from "../source/source-lock.ts";
import { lockFile, offline, source } from "../source/source-options.ts";
import { lockKey } from "./repository-access.ts";
import { revisor } from "./revisor.ts";
import { isMetadata } from "./rpm-metadata.ts";

export const rpmUpdate = command({
  name: "rpm-update",
  description: "Pin the repositories as they are now, and show which packages change",
  group: "fetch",
  params: { source, offline, lockFile },
  async run({ words, value, workspace, build, print }) {
    const { withoutUpstream } = kindOf(await value(source));
    if (withoutUpstream !== undefined) return print(withoutUpstream.update);
    if (words.length > 0) {
      throw new UsageError("an update is one of all repositories: they are pinned as a whole", {
        code: "usage",
        hint: "usage: task update",
      });
    }
    if (await value(offline)) {
      throw new UsageError("an update needs the network, which --offline forbids", {
        code: "update-offline",
        hint: "omit --offline",
      });
    }
    const lock = path.resolve(workspace, await value(lockFile));
    const text = existsSync(lock) ? await readFile(lock, "utf8") : undefined;
    const before = readPins(lock, lockKey);
    const metadata = [...before.keys()].filter(isMetadata);
    writePins(lock, lockKey, new Map(metadata.map((name) => [name, undefined])));
    try {
      await build(revisor);
    } catch (error) {
      // Nothing was updated: what was pinned stays pinned.
      if (text !== undefined) {
        await writeFile(`${lock}.part`, text);
        await rename(`${lock}.part`, lock);
      }
      throw error;
    }
    for (const line of describeChanges(packageChanges(before, readPins(lock, lockKey)))) print(line);
  },
});

/** The packages that two states of the lock pin differently, and those that they pin alike, in the order of their names. */
function packageChanges(before: SourceLock, after: SourceLock): readonly Change[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].filter((name) => !isMetadata(name)).sort();
  return names.flatMap((name): readonly Change[] => {
    const [old, now] = [entryOf(before, name), entryOf(after, name)];
    const short = name.replace(/\.rpm$/, "");
    if (now === undefined) return old === undefined ? [] : [{ name: short, kind: "removed", before: old }];
    if (old === undefined) return [{ name: short, kind: "added", after: now }];
    return [
      { name: short, kind: old.sha256 === now.sha256 ? "unchanged" : "changed", before: old, after: now },
    ];
  });
}

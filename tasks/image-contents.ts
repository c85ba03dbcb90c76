/** What the image is made of, for its README: the kernel, Core's initrd, extensions and gems, with sizes and digests. */
import { readdir, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { only, out, task } from "../src/engine/index.ts";
import { fetchGems } from "./fetch-gems.ts";
import { fetchIso } from "./fetch-iso.ts";
import { fetchTcz } from "./fetch-tcz.ts";
import { readCoreFacts } from "./image/core-facts.ts";
import { sha256Of } from "./image/iso-metadata.ts";
import type { ContentEntry } from "./settings/readme.ts";

export const imageContents = task({
  name: "image-contents",
  description: "List what the image is made of",
  internal: true,
  needs: {
    core: only(fetchIso, "boot", "core"),
    extensions: only(fetchTcz, "builtin", "mirror"),
    gems: only(fetchGems, "gems"),
  },
  outputs: { list: out.file("contents.json") },
  async run({ needs, outputs }) {
    const { kernel, initrd } = await readCoreFacts(needs.core.core);
    const found = [
      ...[kernel, initrd].map((name) => path.join(needs.core.boot, name)),
      ...(await filesBelow(needs.extensions.builtin, ".tcz")),
      ...(await filesBelow(needs.extensions.mirror, ".tcz")),
      ...(await filesBelow(needs.gems.gems, ".gem")),
    ];
    // An extension may be in both lists.
    const files = new Map(found.map((file) => [path.basename(file), file]));
    const contents: ContentEntry[] = [];
    for (const [name, file] of files)
      contents.push({ name, bytes: (await stat(file)).size, sha256: await sha256Of(file) });
    await writeFile(outputs.list, `${JSON.stringify(contents, undefined, 2)}\n`);
  },
});

/** Absolute paths of the files below a directory whose names end so, in byte order of their names. */
async function filesBelow(directory: string, ending: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort((a, b) => Buffer.compare(Buffer.from(path.basename(a)), Buffer.from(path.basename(b))));
}

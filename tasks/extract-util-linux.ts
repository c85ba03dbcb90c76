/**
 * The few files of util-linux that the image carries, and no others: the rest of the extension makes facter misjudge
 * whether the hardware is virtual. What they need and nobody brings is said by name.
 */

import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { file, out, task } from "../src/engine/index.ts";
import { didYouMean, UserError } from "../src/errors/index.ts";
import {
  contentSize,
  extractSquashfs,
  listSquashfs,
  printName,
  readNeededLibraries,
  treeFromDirectory,
} from "../src/formats/index.ts";
import type { Shell } from "../src/host/index.ts";
import { fetchIso } from "./fetch-iso.ts";
import { fetchTcz } from "./fetch-tcz.ts";
import { readListing } from "./image/tree-listing.ts";
import { limitParams, limitsOf } from "./settings/limit-options.ts";
import { utilLinuxList } from "./settings/project-options.ts";
import { shownPath } from "./settings/shown-path.ts";

/** Name of the extension in messages. */
const utilLinux = "util-linux.tcz";

export const extractUtilLinux = task({
  name: "extract-util-linux",
  description: "Extract the files of lists/util-linux-exec.lst from util-linux.tcz",
  group: "build",
  needs: { iso: fetchIso, tcz: fetchTcz },
  inputs: { list: file(utilLinuxList, { byLine: true }) },
  params: limitParams,
  tools: ["unsquashfs"],
  outputs: { tree: out.directory("tree") },
  async run({ $, needs, inputs, outputs, params, note }) {
    const list = shownPath(inputs.list);
    const wanted = parsePaths(await readFile(inputs.list, "utf8"), list);
    const held = (await listSquashfs($, needs.tcz.utilLinux, utilLinux)).filter(
      (entry) => entry.type !== "directory",
    );
    const paths = new Set(held.map((entry) => entry.path));
    for (const one of wanted) if (!paths.has(one.path)) throw notInExtension(one, paths);
    const names = wanted.map((entry) => entry.path);
    const limits = limitsOf(params);
    await extractSquashfs($, needs.tcz.utilLinux, names, outputs.tree, { limits, label: utilLinux });

    const core = (await readListing(needs.iso.listing)).paths();
    const isFile = new Map(held.map((entry) => [entry.path, entry.type === "file"]));
    const programs = names.filter((name) => isFile.get(name));
    const missing = await missingLibraries(
      outputs.tree,
      programs,
      new Set([...core, ...names].map(baseName)),
    );
    // Listing every extension takes its time: only where Core does not have it all.
    const loaded =
      missing.size === 0
        ? new Set<string>()
        : await namesInExtensions($, path.join(needs.tcz.builtin, "optional"));
    for (const [library, users] of missing) {
      if (loaded.has(library)) continue;
      note(
        `${users.join(", ")} of util-linux.tcz: the library ${printName(library)} is missing: neither Core nor an extension loaded at boot has it`,
      );
    }
  },
});

interface WantedPath {
  readonly path: string;
  readonly where: string;
}

function notInExtension({ path: wanted, where }: WantedPath, paths: ReadonlySet<string>): UserError {
  const same = [...paths].filter((candidate) => baseName(candidate) === baseName(wanted)).slice(0, 3);
  const byName = new Map([...paths].map((candidate) => [baseName(candidate), candidate]));
  const near = same.length > 0 ? `it has ${same.join(", ")}` : didYouMean(baseName(wanted), byName.keys());
  return new UserError(`util-linux.tcz has no ${wanted}`, {
    code: "util-linux-missing",
    where,
    hint: near ?? "check the path, which is relative to the root of the image",
  });
}

/** A program is read whole to see what it links; what is larger is data. */
const largestProgram = 64 * 1024 * 1024;

/** Libraries that the files below `directory` ask for and `there` has not, each with the files that ask. */
async function missingLibraries(
  directory: string,
  names: readonly string[],
  there: ReadonlySet<string>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const missing = new Map<string, string[]>();
  const unpacked = await treeFromDirectory(directory, { mtime: 0 });
  for (const name of names) {
    // Read as a tree, which follows no link.
    const node = unpacked.get(name);
    if (node?.type !== "file" || contentSize(node.content) > largestProgram) continue;
    const bytes = await unpacked.read(name);
    for (const library of readNeededLibraries(bytes, `${utilLinux}: ${name}`) ?? []) {
      if (!there.has(library)) missing.set(library, [...(missing.get(library) ?? []), name]);
    }
  }
  return missing;
}

async function namesInExtensions($: Shell, directory: string): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for (const extension of (await readdir(directory)).filter((name) => name.endsWith(".tcz"))) {
    for (const entry of await listSquashfs($, path.join(directory, extension)))
      names.add(baseName(entry.path));
  }
  return names;
}

function baseName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

/** Paths, one or more a line: the old scripts took any blanks between them. */
function parsePaths(text: string, list: string): readonly WantedPath[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const where = `${list}:${index + 1}`;
    const words = line.replace(/#.*$/, "").trim().split(/\s+/);
    return words
      .filter((word) => word !== "")
      .map((word) => {
        const name = word.replace(/^\//, "");
        if (name.split("/").some((part) => part === ".." || part === "." || part === "")) {
          throw new UserError(`"${word}" is not a path in the image`, {
            code: "bad-path",
            hint: "write it as usr/local/bin/NAME, without . and ..",
            where,
          });
        }
        return { path: name, where };
      });
  });
}

/**
 * The few files of util-linux that the image carries, and no others: the rest of the extension makes facter misjudge
 * whether the hardware is virtual.
 */
import { readFile } from "node:fs/promises";
import { file, out, task } from "../src/engine/index.ts";
import { UserError } from "../src/errors/index.ts";
import { extractSquashfs, listSquashfs } from "../src/formats/index.ts";
import { fetchTcz } from "./fetch-tcz.ts";

const list = "lists/util-linux-exec.lst";

export const extractUtilLinux = task({
  name: "extract-util-linux",
  description: "Take the files of lists/util-linux-exec.lst out of util-linux.tcz",
  needs: { tcz: fetchTcz },
  inputs: { list: file(list, { byLine: true }) },
  tools: ["unsquashfs"],
  outputs: { tree: out.directory("tree") },
  async run({ $, needs, inputs, outputs }) {
    const wanted = parsePaths(await readFile(inputs.list, "utf8"));
    const held = (await listSquashfs($, needs.tcz.utilLinux)).filter((entry) => entry.type !== "directory");
    const paths = new Set(held.map((entry) => entry.path));
    for (const { path, where } of wanted) {
      if (paths.has(path)) continue;
      const base = path.slice(path.lastIndexOf("/") + 1);
      const near = [...paths].filter((candidate) => candidate.includes(base)).slice(0, 3);
      throw new UserError(`util-linux.tcz has no ${path}`, {
        code: "util-linux-missing",
        where,
        hint:
          near.length === 0
            ? "check the path; it is relative to the image's root"
            : `it has ${near.join(", ")}`,
      });
    }
    await extractSquashfs(
      $,
      needs.tcz.utilLinux,
      wanted.map((entry) => entry.path),
      outputs.tree,
    );
  },
});

function parsePaths(text: string): readonly { readonly path: string; readonly where: string }[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const path = line.replace(/#.*$/, "").trim().replace(/^\//, "");
    const where = `${list}:${index + 1}`;
    if (path === "") return [];
    if (path.split("/").some((part) => part === ".." || part === "." || part === "")) {
      throw new UserError(`"${path}" is not a path in the image`, {
        code: "bad-path",
        hint: "write it as usr/local/bin/NAME, without . and ..",
        where,
      });
    }
    return [{ path, where }];
  });
}

/** What edits use beside the image's files: patch(1), extensions, and a root in which scripts run. */
import { lstat, mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { systemErrorCode } from "../src/errors/index.ts";
import {
  bytesContent,
  FileTree,
  layOutTree,
  noLimits,
  readSquashfsTree,
  treeFromDirectory,
} from "../src/formats/index.ts";
import type { Shell } from "../src/host/index.ts";
import type { EditTools } from "./image/edits.ts";
import { buildPaths, openBuildRoot } from "./packaging/build-root.ts";

interface EditSurroundings {
  readonly $: Shell;
  /** Absolute. */
  readonly scratch: string;
  /** Absolute path of `edits/`. */
  readonly directory: string;
  /** Absolute path of the output of `taken-extensions`. */
  readonly taken: string | undefined;
  readonly values: Readonly<Record<string, string>>;
  readonly kernelRelease: string;
  readonly isNarrow: boolean;
  /** Seconds since 1970. */
  readonly mtime: number;
}

/** The tools of one run of a step. */
export function editTools(around: EditSurroundings): EditTools {
  const { $, scratch, directory, taken, values, kernelRelease, isNarrow, mtime } = around;
  let count = 0;
  const place = (what: string): string => path.join(scratch, `${what}-${count++}`);
  return {
    values,
    async read(name) {
      return await readFile(path.join(directory, name)).catch((error: unknown) => {
        if (systemErrorCode(error) === "ENOENT") return undefined;
        throw error;
      });
    },
    async patch(files, text) {
      const root = place("patched");
      await layOutTree(files, root);
      const strip =
        /^--- a\//m.test(text.toString("latin1")) || /^\+\+\+ b\//m.test(text.toString("latin1")) ? 1 : 0;
      // No fuzz: a patch that fits only nearly was made for another base.
      const options = [
        "--forward",
        "--batch",
        "--fuzz=0",
        "--no-backup-if-mismatch",
        "--reject-file=-",
        "-s",
      ];
      const done = await $({
        input: text,
        stdio: ["pipe", "pipe", "pipe"],
        nothrow: true,
      })`patch -p${strip} ${options} -d ${root}`;
      if (done.exitCode !== 0) return lastLine(`${done.stdout}${done.stderr}`);
      const after = new FileTree();
      for (const [name, node] of await treeFromDirectory(root, { mtime }))
        if (node.type === "file") after.set(name, node);
      return after;
    },
    async extension(name) {
      const trees = new Map<string, FileTree>();
      if (taken === undefined) return trees;
      const order = JSON.parse(await readFile(path.join(taken, "order.json"), "utf8")) as Record<
        string,
        readonly string[]
      >;
      for (const one of order[name] ?? []) {
        const file = path.join(taken, one);
        const { size } = await lstat(file);
        trees.set(
          one,
          await readSquashfsTree({ path: file, offset: 0, size }, { limits: noLimits, label: one }),
        );
      }
      // A name with KERNEL is asked for as it is written.
      const last = [...trees].at(-1);
      if (last !== undefined) trees.set(name, last[1]);
      return trees;
    },
    async run(image, script) {
      const root = place("image");
      try {
        const run = await openBuildRoot($, root, {
          ...{ core: image, extensions: new Map(), kernelRelease, isNarrow, network: false },
        });
        const before = await statuses(root);
        await mkdir(path.join(root, buildPaths.source), { recursive: true });
        try {
          await run(script, "", values);
        } catch (cause) {
          if (
            typeof cause !== "object" ||
            cause === null ||
            !("exitCode" in cause) ||
            cause.exitCode === null
          )
            throw cause;
          const said = "stdall" in cause ? lastLine(`${cause.stdall}`) : "";
          return `status ${cause.exitCode}${said === "" ? "" : `, ${said}`}`;
        }
        return await differences(root, before, image, mtime);
      } finally {
        await $`chmod -R u+rwX ${root}`.nothrow();
        await $`rm -rf ${root}`;
      }
    },
  };
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}

/** Directories that a build root has for itself. */
const notOfTheImage = /^(build|proc|dev|tmp)(\/|$)/;

/** What tells whether an entry was written to, by its path. */
async function statuses(root: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const name of await paths(root)) {
    const { ino, ctimeNs, size, mode } = await lstat(path.join(root, name), { bigint: true });
    found.set(
      name,
      (mode & 0o170000n) === 0o040000n ? `directory ${mode}` : `${ino} ${ctimeNs} ${size} ${mode}`,
    );
  }
  return found;
}

async function paths(root: string): Promise<readonly string[]> {
  const tree = await treeFromDirectory(root, { mtime: 0, filter: (name) => !notOfTheImage.test(name) });
  return tree.paths();
}

/** What is on the disk and was not there before, or is otherwise; read whole, since the directory goes. */
async function differences(
  root: string,
  before: ReadonlyMap<string, string>,
  image: FileTree,
  mtime: number,
): Promise<{ readonly changed: FileTree; readonly removed: readonly string[] }> {
  const after = await statuses(root);
  const disk = await treeFromDirectory(root, {
    mtime,
    filter: (name) => !notOfTheImage.test(name),
    policy: (_, { type, diskMode }) => ({
      mode: type === "symlink" ? 0o777 : diskMode & 0o7777,
      uid: 0,
      gid: 0,
    }),
  });
  const changed = new FileTree();
  for (const [name, status] of after) {
    const node = disk.get(name);
    if (before.get(name) === status || node === undefined) continue;
    const there = image.get(name);
    const owner = there === undefined ? {} : { uid: there.uid, gid: there.gid };
    if (node.type === "file") {
      const bytes = await disk.read(name);
      if (there?.type === "file" && there.mode === node.mode && (await image.read(name)).equals(bytes))
        continue;
      changed.set(name, { ...node, ...owner, content: bytesContent(bytes) });
    } else changed.set(name, { ...node, ...owner });
  }
  return { changed, removed: [...before.keys()].filter((name) => !after.has(name)) };
}

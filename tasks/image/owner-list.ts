/**
 * `lists/owners.lst`: owners and modes of the overlay's files, and device nodes. Lines are `PATH OWNER:GROUP [MODE]` or
 * `PATH c|b MAJOR MINOR MODE OWNER:GROUP`; a path may be a pattern, and a later line wins.
 */

import { UserError } from "../../src/errors/index.ts";
import { contentLines } from "../../src/fetch/index.ts";
import type { FileTree } from "../../src/formats/index.ts";

interface Ownership {
  readonly uid: number;
  readonly gid: number;
}

interface OwnerLine {
  /** `lists/owners.lst:3`. */
  readonly where: string;
  /** Relative to the image's root; a pattern of picomatch. */
  readonly pattern: string;
  /** `tc:staff`, as it is written. */
  readonly owner: string;
  readonly mode?: number;
  readonly device?: { readonly type: "char" | "block"; readonly major: number; readonly minor: number };
}

const form =
  /^(\S+)[ \t]+(?:([cb])[ \t]+(\d{1,4})[ \t]+(\d{1,7})[ \t]+([0-7]{3,4})[ \t]+)?([^\s:]+:[^\s:]+)(?:[ \t]+([0-7]{3,4}))?$/;

/** Reads the text of the file; `file` is its name in messages. @throws UserError `owners` with the line */
export function parseOwnerList(text: string, file: string): readonly OwnerLine[] {
  return [...contentLines(text)].map(({ number, text: line }) => {
    const where = `${file}:${number}`;
    const [, path = "", kind, major = "", minor = "", deviceMode, owner = "", mode] = form.exec(line) ?? [];
    const given = deviceMode ?? mode;
    const isWrong = path === "" || (kind !== undefined && (mode !== undefined || /[*?[{]/.test(path)));
    if (isWrong || /(^|\/)\.\.?(\/|$)/.test(path))
      throw new UserError("the line is not an owner of a path", {
        code: "owners",
        where,
        hint: "write PATH OWNER:GROUP [MODE], or PATH c|b MAJOR MINOR MODE OWNER:GROUP; modes are octal",
      });
    return {
      where,
      pattern: path.replace(/^\/+/, ""),
      owner,
      ...(given === undefined ? {} : { mode: Number.parseInt(given, 8) }),
      ...(kind === undefined
        ? {}
        : {
            device: {
              type: kind === "c" ? "char" : "block",
              major: Number(major),
              minor: Number(minor),
            } as const,
          }),
    };
  });
}

/** Adds the device nodes of the list to the tree. @throws UserError `owners` where something is there already */
export function addDevices(
  tree: FileTree,
  lines: readonly OwnerLine[],
  mtime: number,
  what = "the overlay",
): void {
  for (const { device, pattern: path, where, mode = 0o600 } of lines) {
    if (device === undefined) continue;
    const there = tree.get(path);
    if (there !== undefined && there.type !== device.type)
      throw new UserError(`${what} has ${path} already, and it is no such device`, {
        code: "owners",
        where,
        hint: "remove one of them",
      });
    tree.set(path, { ...device, mode, uid: 0, gid: 0, mtime });
  }
}

/**
 * Gives the entries their owners and modes; names are those of the tree's, else of Core's `etc/passwd` and `etc/group`. Returns the
 * paths whose modes a line gives. `what` is how messages call the tree.
 * @throws UserError `owners` for a name that the image does not have, and for a path that the tree does not
 */
export async function applyOwners(
  tree: FileTree,
  lines: readonly OwnerLine[],
  core: FileTree,
  what = "the overlay",
): Promise<ReadonlySet<string>> {
  if (lines.length === 0) return new Set();
  const names = {
    passwd: await textIn("etc/passwd", tree, core),
    group: await textIn("etc/group", tree, core),
  };
  const { default: picomatch } = await import("picomatch");
  const paths = tree.paths();
  const withModes = new Set<string>();
  for (const line of lines) {
    const owner = ownership(line, names);
    const matches = picomatch(line.pattern, { dot: true });
    const found = paths.filter((path) => matches(path));
    if (found.length === 0)
      throw new UserError(`no file of ${what} matches ${line.pattern}`, {
        code: "owners",
        where: line.where,
        hint: `correct the path; files that are not in ${what} keep their owners`,
      });
    for (const path of found) {
      const node = tree.get(path);
      if (node === undefined) continue;
      const isLink = node.type === "symlink" || line.mode === undefined;
      tree.set(path, { ...node, ...owner, ...(isLink ? {} : { mode: line.mode }) });
      if (!isLink) withModes.add(path);
    }
  }
  return withModes;
}

function ownership(
  { owner, where }: OwnerLine,
  names: { readonly passwd: string; readonly group: string },
): Ownership {
  const [user = "", group = ""] = owner.split(":");
  const id = (name: string, text: string, file: string): number => {
    if (/^\d{1,5}$/.test(name)) return Number(name);
    const line = text.split("\n").find((one) => one.startsWith(`${name}:`));
    const found = line?.split(":")[2];
    if (found !== undefined && /^\d+$/.test(found)) return Number(found);
    throw new UserError(`the image's ${file} has no ${name}`, {
      code: "owners",
      where,
      hint: "name one that it has, add it to lists/accounts.yaml, or write a number",
    });
  };
  return { uid: id(user, names.passwd, "etc/passwd"), gid: id(group, names.group, "etc/group") };
}

/** The text of a file in the first of the trees that has it; empty where none does. */
async function textIn(path: string, ...trees: readonly FileTree[]): Promise<string> {
  const from = trees.find((tree) => tree.get(path)?.type === "file");
  return from === undefined ? "" : (await from.read(path)).toString("latin1");
}

/** What a tree must have: the packages of the list, and those of the groups. */
import { readFile } from "node:fs/promises";
import { didYouMean, systemErrorCode, UserError } from "../../src/errors/index.ts";
import { contentLines } from "../../src/fetch/index.ts";
import { shownPath } from "../settings/shown-path.ts";
import { type CompsGroup, parseComps } from "./comps-file.ts";
import { listFiles } from "./rpm-files.ts";

export interface WantedPackage {
  /** A name, or `name-version`, as dnf takes it. */
  readonly name: string;
  /** Who wants it: `file:line`, for a group's packages followed by that of comps.xml. */
  readonly where: string;
  /** The same without lines, which move: `lists/packages.lst`, `the group core`. */
  readonly by: string;
}

/** Absolute paths of the lists, which may not exist, and of comps.xml. */
interface Lists {
  readonly groups: string;
  readonly packages: string;
  readonly comps: string;
}

/**
 * The packages of both lists, each once, with the groups' mandatory and default ones.
 * @throws UserError `unknown-group`, `bad-package-name`, `nothing-wanted`, and those of `parseComps`
 */
export async function readWanted(lists: Lists): Promise<readonly WantedPackage[]> {
  const groups = parseComps(await readFile(lists.comps, "utf8"), shownPath(lists.comps));
  const wanted = new Map<string, WantedPackage>();
  const add = (name: string, where: string, by: string): void => {
    if (!wanted.has(name)) wanted.set(name, { name, where, by });
  };
  for (const { text, where } of await linesOf(lists.packages)) {
    if (!/^[A-Za-z0-9_][\w.+~^:-]*$/.test(text)) {
      throw new UserError(`"${text}" is not the name of a package`, {
        code: "bad-rpm-name",
        where,
        hint: text.startsWith("@")
          ? "groups belong into lists/groups.lst, without @"
          : "write one package per line, such as bash or bash-5.2.15",
      });
    }
    add(text, where, listFiles.packages);
  }
  for (const { text, where } of await linesOf(lists.groups)) {
    const group = groups.get(text.replace(/^@/, ""));
    if (group === undefined) throw unknownGroup(text, where, groups);
    for (const member of group.members) {
      if (member.type === "mandatory" || member.type === "default")
        add(member.name, `${where} → ${member.where}`, `the group ${group.id}`);
    }
  }
  if (wanted.size > 0) return [...wanted.values()];
  throw new UserError("the lists name no package, so the tree would be empty", {
    code: "nothing-wanted",
    where: shownPath(lists.packages),
    hint: "name packages in lists/packages.lst, or groups of comps.xml in lists/groups.lst",
  });
}

function unknownGroup(id: string, where: string, groups: ReadonlyMap<string, CompsGroup>): UserError {
  const known = [...groups.keys()];
  return new UserError(`comps.xml has no group "${id}"`, {
    code: "unknown-group",
    where,
    hint: didYouMean(id, known) ?? `groups: ${known.join(", ") || "none"}`,
  });
}

async function linesOf(file: string): Promise<readonly { readonly text: string; readonly where: string }[]> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if (systemErrorCode(error) === "ENOENT") return "";
    throw error;
  });
  return [...contentLines(text)].map((line) => ({
    text: line.text,
    where: `${shownPath(file)}:${line.number}`,
  }));
}

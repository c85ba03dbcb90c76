/** From declared inputs to the files they mean now: named files looked up, patterns expanded. */

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { UserError } from "../../errors/index.ts";
import type { Input } from "../define/declared-input.ts";
import { declaredPath, givenPath } from "../define/input-path.ts";
import { type AbsolutePath, type Digest, displayPath, pathBelow, resolveIn } from "../define/names.ts";
import type { Parameter } from "../define/parameter.ts";
import { digestOfBytes } from "./digest.ts";
import { knownMatchesOf, matchesOf } from "./file-set.ts";
import { wayBehind } from "./link-path.ts";
import { behindLink } from "./linked-input.ts";
import { digestOfListing, type ListedEntry, type Listing, lineOf, listed, listingOf } from "./listing.ts";
import type { RecordLog } from "./record-log.ts";
import type { StatCache } from "./stat-cache.ts";

export interface ResolvedInput {
  readonly name: string;
  readonly declaration: Input;
  /** Absolute: the file itself, or the directory that `paths` are relative to. */
  readonly root: AbsolutePath;
  /** Relative to `root`, in byte order; empty for a named file. */
  readonly paths: readonly string[];
  /** Absolute paths of the link targets, where links are followed. */
  readonly behind: readonly AbsolutePath[];
  /** Names as the user knows them: relative to the workspace, or absolute outside of it. */
  readonly listing: Listing;
  /** Of the listing: computed once, for it is asked for several times. */
  readonly digest: Digest;
  /** The part that counts, where only a part of the file does. */
  readonly selected?: string;
}

interface InputContext {
  readonly workspace: AbsolutePath;
  readonly files: StatCache;
  /** Remembers file sets; shared with the stat cache. */
  readonly memory: RecordLog;
  readonly value: <T>(parameter: Parameter<T>) => T;
  readonly variant: string | undefined;
  /** Milliseconds since the epoch, for the racy-directory rule. */
  readonly now: () => number;
}

/**
 * What an input means now. Throws `UserError` when a named file is missing, a pattern matches nothing (unless the
 * input is optional), or something that is neither file nor link is matched.
 */
export async function resolveInput(
  name: string,
  declaration: Input,
  context: InputContext,
): Promise<ResolvedInput> {
  const declared = declaredPath(declaration);
  const given = givenPath(declaration, context.value);
  const root = resolveIn(context.workspace, given);
  const asked =
    typeof declared === "string" ? given : `--${declared.name} ${displayPath(context.workspace, given)}`;
  const matches = declaration.kind === "file" ? [] : await matchesOf(declaration, root, context);
  const paths: string[] = [];

  const entries: [string, ListedEntry][] = [];
  const behind = new Map<AbsolutePath, ListedEntry>();
  let selected: string | undefined;
  for (const relative of declaration.kind === "file" ? [""] : matches) {
    const absolute = pathBelow(root, relative);
    const found = context.files.at(absolute);
    const known = found instanceof Promise ? await found : found;
    // What was removed since it was found is no part of the input.
    if (known !== undefined && relative !== "") paths.push(relative);
    const entry =
      known?.type === "file" ? listed(known) : await followFile(known, declaration, absolute, context);
    if (entry === undefined) {
      if (relative.includes("\ufffd")) throw unreadableName(absolute, context);
      continue;
    }
    if (declaration.kind === "file" && declaration.select !== undefined) {
      selected = declaration.select(readFileSync(absolute, "utf8"), context.value, {
        variant: context.variant,
        read: (file) => textAt(path.resolve(context.workspace, file)),
      });
      // A file without anything that counts is as good as none: it may come into being by another task's pins.
      if (selected === "") continue;
    }
    const counts = selected === undefined ? entry : entryOfPart(selected);
    entries.push([displayPath(context.workspace, absolute), counts]);
    if (entry.type === "link" && declaration.kind === "files" && declaration.links === "follow")
      await behindLink(absolute, { workspace: context.workspace, root }, context.files, behind);
  }
  const matched = new Set(entries.map(([name]) => name));
  for (const [absolute, entry] of behind) {
    const name = displayPath(context.workspace, absolute);
    if (!matched.has(name)) entries.push([name, entry]);
  }
  if (
    entries.length === 0 &&
    !declaration.optional &&
    selected === undefined &&
    !isGenerated(declaration, root)
  )
    throw nothingFound(declaration, asked, root);
  const part = selected === undefined ? {} : { selected };
  const listing = listingOf(entries);
  return {
    name,
    declaration,
    root,
    paths,
    behind: [...behind.keys()],
    listing,
    digest: digestOfListing(listing),
    ...part,
  };
}

/**
 * The digest of an input for which nothing has to be walked, selected, followed or waited for: the same as that of
 * `resolveInput`. Undefined for all others, and where that would throw.
 */
export function digestOfKnownInput(
  declaration: Input,
  context: Pick<InputContext, "workspace" | "files" | "memory" | "value">,
): Digest | undefined {
  if (declaration.kind === "file" && declaration.select !== undefined) return undefined;
  const { workspace, files } = context;
  const root = resolveIn(workspace, givenPath(declaration, context.value));
  if (declaration.kind === "file") {
    const entry = files.at(root);
    if (entry instanceof Promise || entry?.type !== "file") return undefined;
    const counts = listed(entry);
    return counts && digestOfBytes(lineOf(displayPath(workspace, root), counts));
  }
  const known = knownMatchesOf(declaration, root, context);
  if (known === undefined || known.length === 0) return undefined;
  const shown = displayPath(workspace, root);
  const before = root === workspace ? "" : `${shown}/`;
  let text = "";
  // In byte order already, as in a listing.
  for (const relative of known) {
    const entry = files.at(pathBelow(root, relative));
    if (entry instanceof Promise || entry === undefined) return undefined;
    // Links have to be followed, which needs I/O.
    if (entry.type !== "file" && !(entry.type === "link" && declaration.links === "keep")) return undefined;
    const counts = listed(entry);
    if (counts === undefined) return undefined;
    text += lineOf(before + relative, counts);
  }
  return digestOfBytes(text);
}

/** Whether the task itself may write to it. */
export function isMutable({ declaration }: Pick<ResolvedInput, "declaration">): boolean {
  return declaration.kind === "file" && declaration.mutable;
}

/** It is made before the task runs; a forecast, which makes nothing, comes before that. */
function isGenerated(declaration: Input, root: string): boolean {
  return declaration.kind === "files" && declaration.generate !== undefined && isEmptyDirectory(root);
}

/** Also a directory that is not there. */
export function isEmptyDirectory(directory: string): boolean {
  try {
    return readdirSync(directory).length === 0;
  } catch {
    return true;
  }
}

function textAt(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** Where only a part of a file counts, the entry is the part's. */
function entryOfPart(part: string): ListedEntry {
  return { type: "file", executable: false, digest: digestOfBytes(part), size: Buffer.byteLength(part) };
}

/** A named file may be reached through a link: what counts is the content behind it. */
async function followFile(
  found: Awaited<ReturnType<StatCache["at"]>>,
  declaration: Input,
  absolute: AbsolutePath,
  context: InputContext,
): Promise<ListedEntry | undefined> {
  if (found === undefined) return undefined;
  if (found.type === "link" && declaration.kind === "file") {
    const { links, end } = wayBehind(absolute);
    // Each of them decides what the file is.
    for (const link of links) await context.files.at(link);
    if (end === undefined) return undefined;
    const entry = await context.files.at(end);
    return entry?.type === "link" ? undefined : followFile(entry, declaration, end, context);
  }
  const entry = listed(found);
  if (entry === undefined || (entry.type === "directory" && declaration.kind === "file")) {
    throw new UserError(`an input is not a regular file`, {
      code: "input-type",
      where: displayPath(context.workspace, absolute),
      hint: "name a file, or remove the device, socket or pipe from the directory",
    });
  }
  return entry.type === "directory" ? undefined : entry;
}

/** Node gives a name's bytes that are no UTF-8 as U+FFFD: the file is there, and cannot be named. */
function unreadableName(absolute: string, context: InputContext): UserError {
  return new UserError("the name of an input file is not valid UTF-8", {
    code: "input-name",
    where: displayPath(context.workspace, absolute),
    hint: "rename the file; `find . | grep -axv '.*'` lists such names",
  });
}

function nothingFound(declaration: Input, asked: string, root: string): UserError {
  if (declaration.kind === "file") {
    return new UserError(`the file ${asked} does not exist`, {
      code: "input-missing",
      where: root,
      hint: "check the name, or restore the file",
    });
  }
  return new UserError(`nothing matches ${declaration.patterns.join(", ")} in ${asked}`, {
    code: "input-missing",
    where: root,
    hint: "check the directory's name, or restore its files",
  });
}

/**
 * A package of the distribution made into an extension: its files as they are, without documents, its script for the
 * time after installation run when the extension is loaded.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../../src/errors/index.ts";
import {
  bytesContent,
  type DebControl,
  type FileTree,
  layOutTree,
  type ModePolicy,
  packSquashfs,
  parentOf,
  printName,
  readDebControl,
  readDebFiles,
  type UnpackLimits,
} from "../../src/formats/index.ts";
import type { Shell } from "../../src/host/index.ts";
import { copyrightLicences, formatSidecars } from "./extension-metadata.ts";
import { packagesEpoch } from "./packages-epoch.ts";

interface DebExtension {
  /** Without `.tcz`. */
  readonly name: string;
  /** Absolute path of the package's file; scratch files lie beside it. */
  readonly deb: string;
  /** Absolute; an empty directory's path, made and removed. */
  readonly scratch: string;
  /** Absolute path of the directory that gets the `.tcz` and what stands beside it. */
  readonly outDir: string;
  /** The image's architecture, as Debian calls it. */
  readonly architecture: "amd64" | "i386";
  /** The line that names the package, for messages. */
  readonly where: string;
  /** Names of packages that it depends on and that are made into extensions too. */
  readonly depends: readonly string[];
  /** How much the package may unpack to. */
  readonly limits?: UnpackLimits;
}

/** What an extension has no use for; busybox shows no manuals, and nobody installs from the image. */
const dropped = ["doc", "man", "menu", "lintian"].map((directory) => `usr/share/${directory}`);
const scriptsDirectory = "usr/local/tce.installed";

/** Modes as in the package, but for the bits that change the user; everything is root's, the scripts the staff's. */
const policyFor =
  (tree: FileTree): ModePolicy =>
  (entry, { type }) => {
    if (entry === scriptsDirectory || entry.startsWith(`${scriptsDirectory}/`))
      return { mode: 0o775, uid: 0, gid: 50 };
    return { mode: type === "symlink" ? 0o777 : (tree.get(entry)?.mode ?? 0o755) & 0o1777, uid: 0, gid: 0 };
  };

/** What was found in a package. */
interface MadeExtension {
  readonly control: DebControl;
  /** The extension's files, links and directories. */
  readonly paths: readonly string[];
  /** Paths of files that had a set-user-id or set-group-id bit. */
  readonly stripped: readonly string[];
}

/**
 * Writes `NAME.tcz`, `.md5.txt`, `.info`, `.list`, and `.dep` when it depends on another package that becomes an
 * extension. The same package makes the same bytes. Throws a UserError for what is not a Debian package, and for
 * device nodes and the like in one; it names the package and the line of the list.
 */
export async function makeDebExtension($: Shell, request: DebExtension): Promise<MadeExtension> {
  const { name, deb, scratch, outDir, depends, where, limits = {} } = request;
  const options = { ...limits, label: `${where}: ${name}.deb` };
  const control = await readDebControl($, deb, options);
  const { fields, scripts } = control;
  refuseForeign(fields.get("Architecture") ?? "all", request);
  const epoch = await packagesEpoch([deb]);
  const tree = await readDebFiles($, deb, path.join(scratch, "spool"), options);
  const licences = await copyrightLicences(tree, fields.get("Package") ?? name);
  dropDirectories(tree);
  const postinst = scripts.get("postinst");
  if (postinst !== undefined) {
    const call = `#!/bin/sh\n/usr/local/postinst/${name} configure\n`;
    addScript(tree, `usr/local/postinst/${name}`, postinst, options.label);
    addScript(tree, `${scriptsDirectory}/${name}`, Buffer.from(call), options.label);
  }
  tree.ensureParents({ mtime: epoch }).delete(".");
  refuseLineBreaks(tree, options.label);
  const paths = [...tree].filter(([, node]) => node.type !== "directory").map(([entry]) => entry);
  const directory = path.join(scratch, "tree");
  await layOutTree(tree, directory, options.label === undefined ? {} : { label: options.label });
  const file = path.join(outDir, `${name}.tcz`);
  await packSquashfs($, directory, file, { epoch, policy: policyFor(tree) });

  const sidecars = formatSidecars(
    {
      name,
      version: fields.get("Version") ?? "",
      description: fields.get("Description")?.split("\n", 1)[0] ?? "",
      homepage: fields.get("Homepage") ?? "",
      licences,
      packages: [`${fields.get("Package") ?? name} ${fields.get("Version") ?? ""}`],
      tags: [],
      size: (await stat(file)).size,
      md5: await md5Of(file),
      paths,
      depends,
    },
    new Map(),
    epoch,
  );
  for (const [sidecar, text] of sidecars) {
    if (!sidecar.endsWith(".tree")) await writeFile(path.join(outDir, sidecar), text);
  }
  await rm(scratch, { recursive: true });
  const stripped = [...tree]
    .filter(([, node]) => node.type === "file" && (node.mode & 0o6000) !== 0)
    .map(([entry]) => entry);
  return { control, paths: tree.paths(), stripped };
}

function refuseForeign(architecture: string, { name, where, architecture: image }: DebExtension): void {
  if (architecture === "all" || architecture === image) return;
  throw new UserError(`the package ${name} is for ${architecture}, but the Core ISO is for ${image}`, {
    code: "package-architecture",
    where,
    hint: "name an extension of the mirror (.tcz), or use a source for this machine's architecture",
  });
}

/** Removes files that an extension does not need, and directories that hold no files. */
function dropDirectories(tree: FileTree): void {
  for (const entry of tree.paths()) {
    if (dropped.some((directory) => entry === directory || entry.startsWith(`${directory}/`)))
      tree.delete(entry);
  }
  const needed = new Set<string>();
  for (const [entry, node] of tree) {
    if (node.type === "directory") continue;
    for (let at = parentOf(entry); at !== undefined && !needed.has(at); at = parentOf(at)) needed.add(at);
  }
  for (const [entry, node] of [...tree]) {
    if (node.type === "directory" && !needed.has(entry)) tree.delete(entry);
  }
}

/** Refuses names with line breaks, since the extension's list of files has one line for each. */
function refuseLineBreaks(tree: FileTree, label: string): void {
  const name = tree.paths().find((entry) => /[\r\n]/.test(entry));
  if (name === undefined) return;
  throw new UserError(`the package contains the name ${printName(name)}, which has a line break`, {
    code: "unsafe-name",
    where: `${label}: ${printName(name)}`,
    hint: "remove the package from the list",
  });
}

/** Adds an executable file. A package that has a link or a file in its way is refused: it would lead elsewhere. */
function addScript(tree: FileTree, name: string, text: Uint8Array, label: string): void {
  for (let at = parentOf(name); at !== undefined; at = parentOf(at)) {
    const node = tree.get(at);
    if (node === undefined || node.type === "directory") continue;
    throw new UserError(`the package's ${at} is a ${node.type}, but must be a directory for the script`, {
      code: "unsafe-link",
      where: `${label}: ${at}`,
      hint: "remove the package from the list, or name an extension of the mirror (.tcz)",
    });
  }
  const there = tree.get(name);
  if (there?.type === "directory") {
    throw new UserError(`the package has a directory ${name} at the path of its script`, {
      code: "unsafe-entry",
      where: `${label}: ${name}`,
      hint: "remove the package from the list, or name an extension of the mirror (.tcz)",
    });
  }
  tree.addFile(name, bytesContent(text), { mtime: 0, mode: 0o755 });
}

async function md5Of(file: string): Promise<string> {
  const hash = createHash("md5");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/**
 * A package of the distribution made into an extension: its files as they are, without documents, its script for the
 * time after installation run when the extension is loaded. It knows nothing of lists or of where packages come from.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, lstat, mkdir, readdir, rm, rmdir, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../../src/errors/index.ts";
import {
  type ModePolicy,
  packSquashfs,
  readDebControl,
  treeFromDirectory,
  unpackDeb,
} from "../../src/formats/index.ts";
import type { Shell } from "../../src/host/index.ts";
import { parseDependencies } from "../sample/apt-records.ts";
import { formatSidecars } from "../sample/extension-metadata.ts";
import { packagesEpoch } from "../sample/index.ts";

export interface DebExtension {
  /** Without `.tcz`. */
  readonly name: string;
  /** Absolute path of the package's file; scratch files lie beside it. */
  readonly deb: string;
  /** Absolute; an empty folder's path, made and removed. */
  readonly scratch: string;
  /** Absolute path of the folder that gets the `.tcz` and what stands beside it. */
  readonly outDir: string;
  /** The image's architecture, as Debian calls it. */
  readonly architecture: "amd64" | "i386";
  /** The line that names the package, for messages. */
  readonly where: string;
  /** Package names that are made into extensions too. */
  readonly listed: ReadonlySet<string>;
}

/** What an extension has no use for; busybox shows no manuals, and nobody installs from the image. */
const dropped = ["doc", "man", "menu", "lintian"].map((folder) => `usr/share/${folder}`);
const scriptsFolder = "usr/local/tce.installed";

/** Modes as in the package, but for the bits that change the user; everything is root's, the scripts the staff's. */
const policy: ModePolicy = (entry, { type, diskMode }) => {
  if (entry === scriptsFolder || entry.startsWith(`${scriptsFolder}/`))
    return { mode: 0o775, uid: 0, gid: 50 };
  return { mode: type === "symlink" ? 0o777 : diskMode & 0o1777, uid: 0, gid: 0 };
};

/**
 * Writes `NAME.tcz`, `.md5.txt`, `.info`, `.list`, and `.dep` when it depends on another listed package. The same
 * package makes the same bytes. Returns the paths of files that had a set-user-id or set-group-id bit.
 * Throws a UserError for what is not a Debian package, and for device nodes and the like in one.
 */
export async function makeDebExtension($: Shell, request: DebExtension): Promise<readonly string[]> {
  const { name, deb, scratch, outDir, listed } = request;
  const { fields, scripts } = await readDebControl($, deb);
  refuseForeign(fields.get("Architecture") ?? "all", request);
  const epoch = await packagesEpoch([deb]);
  const tree = path.join(scratch, "tree");
  await unpackDeb($, deb, tree);
  for (const folder of dropped) await rm(path.join(tree, folder), { recursive: true, force: true });
  await removeEmpty(tree);
  const postinst = scripts.get("postinst");
  if (postinst !== undefined) {
    await addScript(tree, `usr/local/postinst/${name}`, postinst);
    await addScript(tree, `${scriptsFolder}/${name}`, `#!/bin/sh\n/usr/local/postinst/${name} configure\n`);
  }
  const entries = await treeFromDirectory(tree, { mtime: epoch, policy });
  const paths = [...entries].filter(([, node]) => node.type !== "directory").map(([entry]) => entry);
  const file = path.join(outDir, `${name}.tcz`);
  await packSquashfs($, tree, file, { epoch, policy });

  const depends = parseDependencies(`${fields.get("Pre-Depends") ?? ""}, ${fields.get("Depends") ?? ""}`)
    .flatMap((alternatives) => alternatives.find((alternative) => listed.has(alternative)) ?? [])
    .filter((one) => one !== name);
  const sidecars = formatSidecars(
    {
      name,
      version: fields.get("Version") ?? "",
      description: fields.get("Description")?.split("\n", 1)[0] ?? "",
      homepage: fields.get("Homepage") ?? "",
      licences: [],
      packages: [`${fields.get("Package") ?? name} ${fields.get("Version") ?? ""}`],
      tags: [],
      size: (await stat(file)).size,
      md5: await md5Of(file),
      paths,
      depends: [...new Set(depends)],
    },
    new Map(),
    epoch,
  );
  for (const [sidecar, text] of sidecars) {
    if (!sidecar.endsWith(".tree")) await writeFile(path.join(outDir, sidecar), text);
  }
  const withSetId: string[] = [];
  for (const [entry, node] of entries) {
    if (node.type === "file" && ((await lstat(path.join(tree, entry))).mode & 0o6000) !== 0)
      withSetId.push(entry);
  }
  await rm(scratch, { recursive: true });
  return withSetId;
}

function refuseForeign(architecture: string, { name, where, architecture: image }: DebExtension): void {
  if (architecture === "all" || architecture === image) return;
  throw new UserError(`the package ${name} is for ${architecture}, but the Core ISO is for ${image}`, {
    code: "package-architecture",
    where,
    hint: "name an extension of the mirror (.tcz) instead, or use a source of this machine's architecture",
  });
}

/** Removes folders that hold nothing, also those that hold only such folders. */
async function removeEmpty(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const inner = path.join(folder, entry.name);
    await removeEmpty(inner);
    if ((await readdir(inner)).length === 0) await rmdir(inner);
  }
}

/** Adds an executable file; folders that are not there get the usual mode, whatever the umask. */
async function addScript(tree: string, name: string, text: string): Promise<void> {
  const parts = name.split("/");
  for (let depth = 1; depth < parts.length; depth += 1) {
    const folder = path.join(tree, ...parts.slice(0, depth));
    const made = await mkdir(folder, { recursive: true });
    if (made !== undefined) await chmod(folder, 0o755);
  }
  const file = path.join(tree, name);
  await writeFile(file, text);
  await chmod(file, 0o755);
}

async function md5Of(file: string): Promise<string> {
  const hash = createHash("md5");
  for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
  return hash.digest("hex");
}

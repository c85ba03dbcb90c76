/**
 * MCollective in the image: its tarball unpacked where Tiny Core keeps what is installed, two links, and its
 * settings. Without the tarball there is no trace of it.
 */
import path from "node:path";
import type { Secret } from "../../src/engine/index.ts";
import { UserError } from "../../src/errors/index.ts";
import { FileTree, treeFromTarball, type UnpackLimits } from "../../src/formats/index.ts";
import { normalizeOwners } from "./image-tree.ts";

const installed = "usr/local/tce.installed";

/** The tarball's single top directory becomes `usr/local/tce.installed/<directory>`; `spoolDir` is absolute and temporary. */
export async function mcollectiveTree(
  tarball: string,
  spoolDir: string,
  mtime: number,
  limits: UnpackLimits = {},
): Promise<FileTree> {
  const content = await treeFromTarball(tarball, spoolDir, {
    ...limits,
    links: "image",
    label: path.basename(tarball),
  });
  const tops = new Set(
    [...content.paths()].filter((path) => path !== ".").map((path) => path.split("/")[0] ?? ""),
  );
  const [top, ...others] = tops;
  if (top === undefined || others.length > 0) {
    throw new UserError(
      "the MCollective tarball must have exactly one top-level directory, e.g. mcollective-2.0.0",
      {
        code: "mcollective-layout",
        where: tarball,
        hint: "use the tarball of a release",
      },
    );
  }
  const tree = new FileTree();
  for (const [path, node] of content) if (path !== ".") tree.set(`${installed}/${path}`, { ...node, mtime });
  tree
    .addSymlink("usr/local/mcollective", `/${installed}/${top}`, { mtime })
    .addSymlink("usr/local/bin/mcollectived", "/usr/local/mcollective/bin/mcollectived", { mtime })
    .ensureParents({ mtime });
  return normalizeOwners(tree);
}

/** The directory that MCollective is installed in, relative to the image's root; undefined in an image without it. */
export function installedMcollective(image: FileTree): string | undefined {
  const link = image.get("usr/local/mcollective");
  return link?.type === "symlink" ? link.target.slice(1) : undefined;
}

interface McollectiveSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly collective: string;
  readonly logLevel: string;
  readonly password: Secret | undefined;
  readonly psk: Secret | undefined;
}

/** `server.cfg`, with the keys of the Microkernel's documentation; a secret that was not given has no line. */
export function serverConfiguration(settings: McollectiveSettings): string {
  const lines = [
    "topicprefix = /topic/",
    `main_collective = ${settings.collective}`,
    `collectives = ${settings.collective}`,
    "libdir = /usr/local/mcollective/plugins",
    "logfile = /var/log/mcollective.log",
    `loglevel = ${settings.logLevel}`,
    "daemonize = 1",
    "",
    "# Plugins",
    "securityprovider = psk",
    ...(settings.psk === undefined ? [] : [`plugin.psk = ${settings.psk.reveal()}`]),
    "connector = stomp",
    "",
    `plugin.stomp.host = ${settings.host}`,
    `plugin.stomp.port = ${settings.port}`,
    `plugin.stomp.user = ${settings.user}`,
    ...(settings.password === undefined ? [] : [`plugin.stomp.password = ${settings.password.reveal()}`]),
    "",
    "# Facts",
    "factsource = yaml",
    "plugin.yaml = /usr/local/etc/mcollective/facts.yaml",
  ];
  return `${lines.join("\n")}\n`;
}

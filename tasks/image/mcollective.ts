/**
 * MCollective in the image: its tarball unpacked where Tiny Core keeps what is installed, and two links. Without the tarball
 * there is no trace of it.
 */
import path from "node:path";
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

/** Our agents and the like, relative to the image's root; MCollective finds them since `libdir` names the directory. */
export const pluginsDirectory = "usr/local/share/mcollective/plugins";

/** Removes our plugins from the overlay of an image without MCollective. */
export function dropPlugins(overlay: FileTree): void {
  const top = path.posix.dirname(pluginsDirectory);
  for (const name of [...overlay.paths()]) {
    if (name === top || name.startsWith(`${top}/`)) overlay.delete(name);
  }
}

/** The names of the connectors that the image's MCollective has, in byte order: what `connector` in server.cfg can be. */
export function availableConnectors(image: FileTree): readonly string[] {
  const directory = installedMcollective(image) ?? "";
  // Before 2.8 in `plugins`, since then in `lib`.
  const pattern = /^(?:lib|plugins)\/mcollective\/connector\/(\w+)\.rb$/;
  const names = [...image.paths()].flatMap((name) => {
    const connector = name.startsWith(`${directory}/`)
      ? pattern.exec(name.slice(directory.length + 1))?.[1]
      : undefined;
    return connector === undefined || connector === "base" ? [] : [connector];
  });
  return [...new Set(names)].sort();
}

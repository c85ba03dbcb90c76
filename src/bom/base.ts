/** What an image starts from: its kernel, Tiny Core itself, and the tarballs that are neither extension nor gem. */
import {
  contentSize,
  digestContent,
  type FileTree,
  parentOf,
  printName,
  readContent,
} from "../formats/index.ts";
import type { Component } from "./bill.ts";
import { kernelVersion } from "./kernel-version.ts";
import { readLicences } from "./licence.ts";
import { genericPurl } from "./package-url.ts";
import type { BillSources } from "./sources.ts";

/** The file that says which Tiny Core it is (Core-scripts, usr/bin/version). */
export const releasePath = "usr/share/doc/tc/release.txt";

/** The licence of Linux as its file COPYING has it. */
const linuxLicence = "GPL-2.0-only WITH Linux-syscall-note";

/** The kernel at this path of the tree. */
export async function kernelComponent(tree: FileTree, path: string): Promise<readonly Component[]> {
  const node = tree.get(path);
  if (node?.type !== "file") return [];
  const version = await kernelVersion(node.content);
  const sha256 = await digestContent(node.content);
  return [
    {
      ...{ id: "kernel/linux", kind: "kernel", name: "linux", file: printName(path) },
      ...(version === undefined ? {} : { version }),
      ...{ size: contentSize(node.content), sha256, needs: [], contains: [] },
      ...{ homepage: "https://www.kernel.org/", purl: await genericPurl("linux", version, { sha256 }) },
      licences: await readLicences([linuxLicence]),
    },
  ];
}

/** Tiny Core, where the image is made of it; its ISO where that is known. */
export async function coreComponent(
  tree: FileTree,
  { downloads }: BillSources,
): Promise<readonly Component[]> {
  const node = tree.get(releasePath);
  if (node?.type !== "file" || contentSize(node.content) > 4096) return [];
  const text = (await readContent(node.content)).toString("utf8").trim();
  const version = /^[\w.+~-]{1,64}$/.test(text) ? text : undefined;
  const iso = [...downloads.values()].find(({ name }) => /^Core(Pure64)?-.*\.iso$/i.test(name));
  const { url, sha256 } = iso ?? {};
  return [
    {
      ...{
        id: "core/tinycore",
        kind: "core",
        name: "Tiny Core Linux",
        licences: [],
        needs: [],
        contains: [],
      },
      ...(version === undefined ? {} : { version }),
      ...(iso === undefined ? {} : { url, sha256: iso.sha256 }),
      ...{
        homepage: "http://tinycorelinux.net/",
        purl: await genericPurl("tinycore", version, { url, sha256 }),
      },
    } as Component,
  ];
}

/** Tarballs whose files are in the image, and those that can be told by the image alone. */
export async function extraComponents(
  tree: FileTree,
  { extras, downloads }: BillSources,
): Promise<readonly Component[]> {
  const known: Component[] = [];
  for (const { name, version, sha256, size, url } of extras) {
    known.push({
      ...{ id: `extra/${name}`, kind: "extra", name, sha256, size, licences: [], needs: [], contains: [] },
      ...(url === undefined ? {} : { url }),
      ...(version === undefined ? {} : { version }),
      purl: await genericPurl(name, version, { url, sha256 }),
    });
  }
  const others: Component[] = [];
  for (const [path, node] of tree) {
    const [, name, version] = extraPath.exec(path) ?? [];
    if (name === undefined || version === undefined || extras.some((one) => one.name === name)) continue;
    const base = { id: `extra/${name}`, kind: "extra", name, version } as const;
    const rest = { licences: [], needs: [], contains: [], file: printName(path) };
    if (node.type === "file") {
      const sha256 = await digestContent(node.content);
      const url = downloads.get(sha256)?.url;
      const purl = await genericPurl(name, version, { url, sha256 });
      const size = contentSize(node.content);
      others.push({ ...base, ...rest, size, sha256, purl, ...(url === undefined ? {} : { url }) });
    } else if (node.type === "directory") {
      others.push({ ...base, ...rest, purl: await genericPurl(name, version, {}) });
    }
  }
  return [...known, ...others];
}

/** RubyGems itself, and what is unpacked where Tiny Core keeps installed software, with a version in its name. */
const extraPath =
  /^(?:opt\/(?=rubygems)|usr\/local\/tce\.installed\/(?=mcollective))(rubygems|mcollective)-([0-9][\w.]*?)(?:\.tgz)?$/;

/** Whether a path is below the directory of one of the components. */
export function isInside(path: string, directories: ReadonlySet<string>): boolean {
  for (let at: string | undefined = path; at !== undefined; at = parentOf(at))
    if (directories.has(at)) return true;
  return false;
}

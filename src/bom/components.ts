/** All components of an image's trees, in byte order of their ids. */
import { compareNames, type FileTree } from "../formats/index.ts";
import { coreComponent, extraComponents, kernelComponent } from "./base.ts";
import type { Component } from "./bill.ts";
import { extensionComponents } from "./extensions.ts";
import { gemComponents } from "./gems.ts";
import type { BillSources } from "./sources.ts";

interface ImageTrees {
  /** What the booted machine sees. */
  readonly machine: FileTree;
  /** The files of the ISO, where there is one, and the kernel's path in it. */
  readonly iso?: FileTree;
  readonly kernel?: string;
  /** The release of the kernel whose modules the image has. */
  readonly release: string | undefined;
}

/** Each component needs and contains only components that are in the list. */
export async function componentsOf(trees: ImageTrees, sources: BillSources): Promise<readonly Component[]> {
  const { machine, iso, kernel, release } = trees;
  const all = [
    ...(await coreComponent(machine, sources)),
    ...(iso === undefined || kernel === undefined ? [] : await kernelComponent(iso, kernel)),
    ...(await extensionComponents(iso === undefined ? [machine] : [machine, iso], release, sources)),
    ...(await gemComponents(machine, sources)),
    ...(await extraComponents(machine, sources)),
  ];
  // Extensions may be made from the same package.
  const byId = new Map(all.map((one) => [one.id, one]));
  return [...byId.values()]
    .map((one) => ({ ...one, needs: one.needs.filter((id) => byId.has(id) && id !== one.id) }))
    .sort((one, other) => compareNames(one.id, other.id));
}

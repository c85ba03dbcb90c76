/**
 * Programs whose libraries the image lacks: the loader refuses to start them.
 *
 * Source: ld.so(8). Where a library lies is not judged, since a program may name its own directories: a file of the name
 * anywhere in the image counts.
 */
import { messageOf } from "../errors/index.ts";
import { contentSize, type FileTree, readNeededLibraries } from "../formats/index.ts";
import { type ImageFault, PathsByKey } from "./image-fault.ts";

/** Programs and libraries are smaller (bytes); anything larger is not read for this. */
const largest = 256 * 1024 * 1024;

export async function libraryFaults(tree: FileTree): Promise<readonly ImageFault[]> {
  const names = new Set<string>();
  for (const [path, node] of tree) if (node.type !== "directory") names.add(baseName(path));
  const faults: ImageFault[] = [];
  const lacking = new PathsByKey();
  for (const [path, node] of tree) {
    if (node.type !== "file" || contentSize(node.content) > largest || isModule(path)) continue;
    const isLibrary = /\.so(\.|$)/.test(baseName(path));
    if (!isLibrary && (node.mode & 0o111) === 0) continue;
    try {
      for (const name of readNeededLibraries(await tree.read(path), path) ?? [])
        if (!names.has(baseName(name))) lacking.add(name, path);
    } catch (error) {
      faults.push({
        severity: "warning",
        message: `a program cannot be read: ${messageOf(error)}`,
        hint: "get the file again",
        paths: [path],
      });
    }
  }
  for (const [library, paths] of lacking)
    faults.push({
      severity: "warning",
      message: `programs need the library ${library}, which the image lacks`,
      hint: "add the extension that has it",
      paths,
    });
  return faults;
}

const isModule = (path: string): boolean => /\.ko(\.gz|\.xz|\.zst)?$/.test(path);

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** What a build made for the targets that were asked for: files of the workspace, and outputs that stay in the cache. */
import path from "node:path";
import { displayPath, type Graph, outputsOnDisk, type State, type Task } from "../../engine/index.ts";
import { formatBytes } from "../terminal/style.ts";

export interface Artifact {
  /** The task's name. */
  readonly task: string;
  /** Whether it lies where the user wants it, or in the cache. */
  readonly place: "workspace" | "cache";
  /** Relative to the workspace; a directory's ends with a slash. */
  readonly path: string;
  /** Of a directory those of all its files. */
  readonly bytes: number;
  /** Of a file; none for one that may hold a secret, or is sparse. */
  readonly sha256?: string;
  /** Of a directory: the number of its files. */
  readonly files?: number;
}

/** What the named targets made, as it stands there: every file in the workspace, and each output in the cache as a whole. */
export async function artifactsOf(
  state: State,
  tasks: readonly Task[],
  graph: Graph,
): Promise<readonly Artifact[]> {
  const artifacts: Artifact[] = [];
  for (const bound of graph.values()) {
    if (!tasks.includes(bound.task)) continue;
    const task = bound.task.name;
    const directories = new Map<string, { files: number; bytes: number }>();
    for (const { output, entry, within } of await outputsOnDisk(bound, state)) {
      const root = displayPath(state.workspace, output.path);
      const isPart = output.place === "cache" && output.kind === "directory";
      const directory = isPart ? (directories.get(`${root}/`) ?? { files: 0, bytes: 0 }) : undefined;
      if (directory !== undefined) directories.set(`${root}/`, directory);
      if (entry.type !== "file") continue;
      if (directory !== undefined) {
        directory.files += 1;
        directory.bytes += entry.size;
        continue;
      }
      artifacts.push({
        task,
        place: output.place,
        path: path.join(root, within),
        bytes: entry.size,
        ...((output.private && output.place === "cache") || output.sparse ? {} : { sha256: entry.digest }),
      });
    }
    for (const [directory, facts] of directories)
      artifacts.push({ task, place: "cache", path: directory, ...facts });
  }
  return artifacts;
}

/** `build/dev.txt  12 B  sha256 …`, without a line feed. */
export function artifactLine({ path: file, bytes, sha256, files }: Artifact): string {
  const size = formatBytes(bytes);
  if (files !== undefined) return `${file}  ${size} in ${files} ${files === 1 ? "file" : "files"}`;
  return `${file}  ${size}${sha256 === undefined ? "" : `  sha256 ${sha256}`}`;
}

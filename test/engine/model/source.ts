/** The one source file of all tasks of a workspace. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { AbsolutePath } from "../../../src/engine/index.ts";

const directory = "code";

export function sourceOf(root: string): AbsolutePath {
  return path.join(root, directory, "tasks.ts") as AbsolutePath;
}

export function readSource(root: string): string {
  return readFileSync(sourceOf(root), "utf8");
}

export function saveSource(root: string, text: string): void {
  mkdirSync(path.join(root, directory), { recursive: true });
  writeFileSync(sourceOf(root), text);
}

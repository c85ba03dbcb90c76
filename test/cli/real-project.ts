/** A project of the real Taskfile, as `task init` makes it. */
import path from "node:path";
import { demo, runTask } from "./workshop.ts";

/** The project's directory, absolute, a space in its name; `kept` for all tests of a file. */
export async function realProject(options: { readonly kept?: boolean } = {}): Promise<string> {
  const root = demo(options);
  const made = await runTask(root, ["init", "my image"]);
  if (made.status !== 0) throw new Error(`init failed: ${made.stderr}`);
  return path.join(root, "my image");
}

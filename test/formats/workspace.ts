/** A scratch directory with a space in its name, and a shell in it, for one test file. */
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { afterAll, beforeAll } from "vitest";
import { createShell, ProcessGroups, type Shell } from "../../src/host/index.ts";

export interface Workspace {
  /** Absolute path below the scratch directory. */
  path(name: string): string;
  readonly $: Shell;
}

/** Made before the file's tests, removed after them. */
export function useWorkspace(): Workspace {
  let directory: string | undefined;
  let shell: Shell | undefined;
  beforeAll(async () => {
    directory = await realpath(await mkdtemp(`${tmpdir()}/razor mk formats `));
    shell = await createShell({ cwd: directory, groups: new ProcessGroups() });
  });
  afterAll(async () => {
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });
  return {
    path: (name) => `${directory ?? "missing"}/${name}`,
    get $() {
      if (shell === undefined) throw new Error("the workspace is not ready");
      return shell;
    },
  };
}

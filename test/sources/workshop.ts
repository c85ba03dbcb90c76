/**
 * A workspace of the project with lists of the tests' own, and a mirror that they name: what the tests of sources
 * build with. Made for every test file.
 */
import { createHash } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, vi } from "vitest";
import {
  commandEnvironment,
  makeDirectory,
  makeWorkspace,
  removeDirectory,
  type TaskResult,
  type Workspace,
} from "../pipeline/workspace.ts";
import { type Mirror, openMirror, sourcesFile } from "./mirror.ts";

export const lockName = "lists/sources.lock.json";
export const fetchAll = ["fetch-iso", "fetch-tcz", "fetch-gems", "fetch-extras"];

export interface Workshop {
  readonly workspace: Workspace;
  readonly mirror: Mirror;
  readonly directory: string;
  writeList(
    name: "builtin-extensions.lst" | "mirror-extensions.lst" | "gem.list",
    text: string,
  ): Promise<void>;
  /** Names that the lock has for a source. */
  locked(source?: string): Promise<readonly string[]>;
  lockText(): Promise<string>;
  /** Absolute path of the store's copy of an output, which is named by a path below `.buildcache/v1/out`. */
  blobOf(output: string): Promise<string>;
  /** Empties the content store and forgets all results, but leaves the lock. */
  emptyCache(): Promise<void>;
}

/** What every test begins with: lists and shelves as below, neither a lock nor a cache. */
export function useWorkshop(): Workshop {
  let open:
    | { readonly directory: string; readonly workspace: Workspace; readonly mirror: Mirror }
    | undefined;
  const opened = () => {
    if (open === undefined) throw new Error("the workshop is not ready");
    return open;
  };
  const workshop: Workshop = {
    get workspace() {
      return opened().workspace;
    },
    get mirror() {
      return opened().mirror;
    },
    get directory() {
      return opened().directory;
    },
    writeList: (name, text) => writeFile(opened().workspace.path(`lists/${name}`), text),
    lockText: () => readFile(opened().workspace.path(lockName), "utf8"),
    async locked(source = "tinycore") {
      const lock = JSON.parse(await workshop.lockText()) as { sources: Record<string, object> };
      return Object.keys(lock.sources[source] ?? {});
    },
    async blobOf(output) {
      const { workspace } = opened();
      const bytes = await readFile(workspace.path(`.buildcache/v1/out/${output}`));
      const digest = createHash("sha256").update(bytes).digest("hex");
      return workspace.path(`.buildcache/v1/store/${digest.slice(0, 2)}/${digest.slice(2)}`);
    },
    async emptyCache() {
      await rm(opened().workspace.path(".buildcache/v1"), { recursive: true, force: true });
    },
  };

  // Each test is several runs of the whole program, on a machine that may have others to do.
  vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

  beforeAll(async () => {
    const directory = await makeDirectory("sources");
    const workspace = await makeWorkspace(directory, "work space");
    const mirror = await openMirror(workspace.$, path.join(directory, "mirror root"));
    open = { directory, workspace, mirror };
  });

  beforeEach(async () => {
    const { workspace, mirror } = opened();
    await workshop.emptyCache();
    await rm(workspace.path(lockName), { force: true });
    mirror.recover();
    await mirror.stock(extensions);
    await mirror.offerGems({ daemons: ["1.1.8", "1.1.9"], stomp: ["1.2.8"] });
    await writeFile(workspace.path("lists/sources.yaml"), sourcesFile(mirror.url));
    await workshop.writeList("builtin-extensions.lst", "bash.tcz\nopenssh.tcz\nscsi-KERNEL.tcz\n");
    await workshop.writeList("mirror-extensions.lst", "glib2.tcz\n");
    await workshop.writeList("gem.list", "daemons\nstomp\n");
    mirror.forget();
  });

  afterAll(async () => {
    await open?.mirror.close();
    await removeDirectory(open?.directory ?? "");
  });
  return workshop;
}

export const extensions = {
  bash: { deps: ["ncurses"] },
  ncurses: {},
  openssh: { deps: ["openssl"] },
  openssl: {},
  "scsi-3.0.21-tinycore": {},
  glib2: { deps: ["libffi"] },
  libffi: {},
  "util-linux": { deps: ["readline"] },
  readline: {},
  nano: { deps: ["ncurses"] },
} as const;

/** Variables of a continuous integration's machine. */
export const ci = commandEnvironment({ CI: "true" });

/** Names of the tasks that a run ran, in byte order. */
export function rebuilt({ stderr }: TaskResult): readonly string[] {
  return [...stderr.matchAll(/^✓ (\S+): rebuilt/gm)].map(([, name = ""]) => name).sort();
}

/**
 * Watching a set of folders, each for its own entries, with chokidar. Says that something happened under a name, never
 * what: a watch that looks itself cannot be misled.
 */
import { statSync } from "node:fs";
import path from "node:path";
import type { FSWatcher } from "chokidar";
import { systemErrorCode, UserError } from "../../errors/index.ts";

interface Watched {
  /** Device, inode and birth: the same name may come to stand for another folder. */
  readonly identity: string;
  readonly watcher: FSWatcher;
}

export interface FolderListener {
  /** Something happened at an absolute path; `entries`: a name may have come or gone. */
  readonly onTouched: (file: string, entries: boolean) => void;
  readonly onError: (error: unknown) => void;
}

export class FolderWatch {
  readonly #watched = new Map<string, Watched>();
  /** Folders that came, went or moved: what is watched under their name may be another one. */
  readonly #suspect = new Set<string>();
  readonly #listener: FolderListener;

  constructor(listener: FolderListener) {
    this.#listener = listener;
  }

  /** How many folders are watched. */
  get size(): number {
    return this.#watched.size;
  }

  /** Whether a folder is one that is watched. */
  has(folder: string): boolean {
    return this.#watched.has(folder);
  }

  /**
   * Watches exactly what `wanted` lists, which is asked again until nothing new turns up: once this resolves, nothing
   * that happens in any of these folders goes unseen.
   */
  async cover(wanted: () => ReadonlySet<string>): Promise<void> {
    for (;;) {
      const folders = wanted();
      const suspect = new Set(this.#suspect);
      this.#suspect.clear();
      for (const [folder, { identity, watcher }] of this.#watched) {
        if (folders.has(folder) && !suspect.has(folder) && identityOf(folder) === identity) continue;
        this.#watched.delete(folder);
        await watcher.close();
      }
      const missing = [...folders].filter((folder) => !this.#watched.has(folder));
      if (missing.length === 0) return;
      await Promise.all(missing.map((folder) => this.#open(folder)));
    }
  }

  async close(): Promise<void> {
    const all = [...this.#watched.values()];
    this.#watched.clear();
    await Promise.all(all.map(({ watcher }) => watcher.close()));
  }

  async #open(folder: string): Promise<void> {
    const { watch } = await import("chokidar");
    const watcher = watch(folder, {
      depth: 0,
      // Only the folder itself: its entries are told of by its own events.
      ignored: (file) => file !== folder,
      ignoreInitial: true,
      atomic: false,
    });
    this.#watched.set(folder, { identity: identityOf(folder), watcher });
    watcher.on("raw", (kind, name) => this.#touched(folder, kind, name));
    watcher.on("error", (error) => this.#listener.onError(explain(error, folder)));
    await new Promise<void>((resolve) => watcher.once("ready", resolve));
  }

  #touched(folder: string, kind: string, name: string | null | undefined): void {
    const file = typeof name === "string" && name !== "" ? path.join(folder, name) : folder;
    const entries = kind === "rename";
    if (entries) {
      // A folder that goes tells of itself by its own name.
      if (path.basename(folder) === name) this.#suspect.add(folder);
      this.#suspectBelow(file);
    }
    this.#listener.onTouched(file, entries);
  }

  #suspectBelow(file: string): void {
    for (const folder of this.#watched.keys()) {
      if (folder === file || folder.startsWith(`${file}/`)) this.#suspect.add(folder);
    }
  }
}

function identityOf(folder: string): string {
  try {
    const status = statSync(folder, { bigint: true });
    return `${status.dev}:${status.ino}:${status.birthtimeNs}`;
  } catch {
    return "";
  }
}

function explain(error: unknown, folder: string): unknown {
  const code = systemErrorCode(error);
  if (code !== "ENOSPC" && code !== "EMFILE") return error;
  return new UserError("the limit of watched directories for this user is reached", {
    code: "watch-limit",
    where: folder,
    hint: "raise fs.inotify.max_user_watches and fs.inotify.max_user_instances with sysctl",
    cause: error,
  });
}

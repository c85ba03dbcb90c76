/**
 * Watching a set of directories, each for its own entries, with chokidar. Says that something happened under a name, never
 * what: a watch that looks itself cannot be misled.
 */
import { statSync } from "node:fs";
import path from "node:path";
import type { FSWatcher } from "chokidar";
import { systemErrorCode, UserError } from "../../errors/index.ts";

interface Watched {
  /** Device, inode and birth: the same name may come to stand for another directory. */
  readonly identity: string;
  readonly watcher: FSWatcher;
}

export interface DirectoryListener {
  /** Something happened at an absolute path; `entries`: a name may have come or gone. */
  readonly onTouched: (file: string, entries: boolean) => void;
  readonly onError: (error: unknown) => void;
}

export class DirectoryWatch {
  readonly #watched = new Map<string, Watched>();
  /** Directories that came, went or moved: what is watched under their name may be another one. */
  readonly #suspect = new Set<string>();
  readonly #listener: DirectoryListener;

  constructor(listener: DirectoryListener) {
    this.#listener = listener;
  }

  /** How many directories are watched. */
  get size(): number {
    return this.#watched.size;
  }

  /** Whether a directory is one that is watched. */
  has(directory: string): boolean {
    return this.#watched.has(directory);
  }

  /**
   * Watches exactly what `wanted` lists, which is asked again until nothing new turns up: once this resolves, nothing
   * that happens in any of these directories goes unseen.
   */
  async cover(wanted: () => ReadonlySet<string>): Promise<void> {
    for (;;) {
      const directories = wanted();
      const suspect = new Set(this.#suspect);
      this.#suspect.clear();
      for (const [directory, { identity, watcher }] of this.#watched) {
        if (directories.has(directory) && !suspect.has(directory) && identityOf(directory) === identity)
          continue;
        this.#watched.delete(directory);
        await watcher.close();
      }
      const missing = [...directories].filter((directory) => !this.#watched.has(directory));
      if (missing.length === 0) return;
      await Promise.all(missing.map((directory) => this.#open(directory)));
    }
  }

  async close(): Promise<void> {
    const all = [...this.#watched.values()];
    this.#watched.clear();
    await Promise.all(all.map(({ watcher }) => watcher.close()));
  }

  async #open(directory: string): Promise<void> {
    const { watch } = await import("chokidar");
    const watcher = watch(directory, {
      depth: 0,
      // Only the directory itself: its entries have events of their own.
      ignored: (file) => file !== directory,
      ignoreInitial: true,
      atomic: false,
    });
    this.#watched.set(directory, { identity: identityOf(directory), watcher });
    watcher.on("raw", (kind, name) => this.#touched(directory, kind, name));
    watcher.on("error", (error) => this.#listener.onError(explain(error, directory)));
    await new Promise<void>((resolve) => watcher.once("ready", resolve));
  }

  #touched(directory: string, kind: string, name: string | null | undefined): void {
    const file = typeof name === "string" && name !== "" ? path.join(directory, name) : directory;
    const entries = kind === "rename";
    if (entries) {
      // A directory that goes tells of itself by its own name.
      if (path.basename(directory) === name) this.#suspect.add(directory);
      this.#suspectBelow(file);
    }
    this.#listener.onTouched(file, entries);
  }

  #suspectBelow(file: string): void {
    for (const directory of this.#watched.keys()) {
      if (directory === file || directory.startsWith(`${file}/`)) this.#suspect.add(directory);
    }
  }
}

function identityOf(directory: string): string {
  try {
    const status = statSync(directory, { bigint: true });
    return `${status.dev}:${status.ino}:${status.birthtimeNs}`;
  } catch {
    return "";
  }
}

function explain(error: unknown, directory: string): unknown {
  const code = systemErrorCode(error);
  if (code !== "ENOSPC" && code !== "EMFILE") return error;
  return new UserError("the limit of watched directories for this user is reached", {
    code: "watch-limit",
    where: directory,
    hint: "raise fs.inotify.max_user_watches and fs.inotify.max_user_instances with sysctl",
    cause: error,
  });
}

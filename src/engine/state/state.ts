/**
 * Everything that outlives a run: stamps, the stat cache, the store, the workspace's secret key. All of it may be
 * lost or damaged at any time without a wrong result; the worst is work done again.
 */

import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { systemErrorCode, systemReason, UserError } from "../../errors/index.ts";
import { type AbsolutePath, absolutePath, cacheDirectory } from "../define/names.ts";
import { newSecretKey } from "../define/secret.ts";
import { Concatenator } from "../files/concatenation.ts";
import { RecordLog } from "../files/record-log.ts";
import { type Clock, StatCache } from "../files/stat-cache.ts";
import { removeTree } from "../files/tree-removal.ts";
import { Stamps } from "./stamp.ts";
import { Store } from "./store.ts";

/** Bytes of results that are always kept: thousands of results, in most projects. */
const resultsKept = 4 * 1024 * 1024;

export class State {
  readonly workspace: AbsolutePath;
  /** `.buildcache/v1` of the workspace. */
  readonly root: AbsolutePath;
  readonly clock: Clock;
  readonly store: Store;
  readonly stamps: Stamps;
  readonly files: StatCache;
  readonly concatenator: Concatenator;
  /** The stat cache and the remembered file sets. */
  readonly fileLog: RecordLog;
  readonly #stampLog: RecordLog;
  #secretKey: Uint8Array | undefined;
  /** Only a build writes; queries leave no trace. */
  #writable = false;

  constructor(workspace: AbsolutePath, clock: Clock = Date) {
    this.workspace = workspace;
    this.clock = clock;
    this.root = absolutePath(path.join(workspace, cacheDirectory, "v1"));
    this.#stampLog = new RecordLog(path.join(this.root, "stamps.log"));
    this.fileLog = new RecordLog(path.join(this.root, "files.log"));
    this.store = new Store(absolutePath(path.join(this.root, "store")), this.temporaryRoot);
    this.stamps = new Stamps(this.#stampLog);
    this.files = new StatCache(this.fileLog, clock);
    this.concatenator = new Concatenator(this.files);
  }

  get lockFile(): AbsolutePath {
    return absolutePath(path.join(this.root, "lock"));
  }

  /** The files that say what was built, and what was seen of it. */
  get logFiles(): readonly string[] {
    return [this.#stampLog.file, this.fileLog.file];
  }

  /** Where tasks without an artifact path leave their outputs. */
  get outputRoot(): AbsolutePath {
    return absolutePath(path.join(this.root, "out"));
  }

  /** Staging and scratch directories of running tasks. */
  get temporaryRoot(): AbsolutePath {
    return absolutePath(path.join(this.root, "tmp"));
  }

  /** One sentence for each state file that could not be used as it was. */
  damage(): readonly string[] {
    const logs = [
      ["stamps.log", this.#stampLog.damage],
      ["files.log", this.fileLog.damage],
    ] as const;
    return logs.flatMap(([name, damage]) => {
      if (damage.foreign) return [`${name} was written by another version; starting an empty one`];
      if (damage.damagedLines === 0) return [];
      return [
        `${name} had ${damage.damagedLines} damaged ${damage.damagedLines === 1 ? "line" : "lines"} ; the results recorded there are built again`,
      ];
    });
  }

  /** Makes the directory, and says clearly when it cannot be written. Needs no lock. */
  prepare(): void {
    const ignore = path.join(this.workspace, cacheDirectory, ".gitignore");
    try {
      this.dropLinks();
      mkdirSync(this.root, { recursive: true, mode: 0o755 });
      // Written once only: on a full disk a rewrite would leave it empty. And never through a link.
      if (!existsSync(ignore) && !isLink(ignore)) writeFileSync(ignore, "*\n", { mode: 0o644 });
      // The lock that is taken next would fail as well, but less clearly.
      accessSync(this.root, constants.W_OK);
      this.#writable = true;
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === undefined) throw error;
      throw new UserError(`the cache directory cannot be written: ${systemReason(error)}`, {
        code: "cache-not-writable",
        where: this.root,
        hint:
          code === "ENOSPC"
            ? "free disk space and run the build again: earlier results are kept"
            : "make the workspace writable for your user, or remove the file that has the directory's name",
        cause: error,
      });
    }
  }

  /**
   * Removes symlinks in place of the cache's own directories, but not their targets: otherwise files would be created and removed
   * elsewhere. The cache as a whole may be a symlink, to another disk for instance.
   */
  dropLinks(): void {
    const own = [this.root, this.store.root, this.outputRoot, this.temporaryRoot];
    const logs = [this.#stampLog.file, this.fileLog.file, path.join(this.root, "up-to-date")];
    for (const one of [...own, ...logs]) if (isLink(one)) rmSync(one);
  }

  /** Takes over what another process recorded since this one started. Needs the lock. */
  reload(): void {
    this.#stampLog.reload();
    this.fileLog.reload();
  }

  /** Whether a run was killed before it could remove its temporaries. */
  hasTemporaries(): boolean {
    return existsSync(this.temporaryRoot) && readdirSync(this.temporaryRoot).length > 0;
  }

  /** Removes what an interrupted run left. Needs the lock. */
  removeTemporaries(): Promise<void> {
    return removeTree(this.temporaryRoot);
  }

  /** Writes what is pending, and tidies the logs when they have grown. Needs the lock. */
  save(): void {
    for (const log of [this.#stampLog, this.fileLog]) log.flush();
    const stampLog = this.#stampLog;
    const thinned = stampLog.grownTo > resultsKept && this.stamps.thin(resultsKept);
    if (thinned || stampLog.wantsCompaction) stampLog.compact();
    const { fileLog } = this;
    // Who is gone needs no digest any more; a pattern is kept, for its directory may come back as it was.
    if (fileLog.wantsCompaction || fileLog.wantsPruning)
      fileLog.compact((key) => !path.isAbsolute(key) || existsSync(key));
    for (const log of [stampLog, fileLog]) log.seal();
  }

  /** A random key that stays in this workspace; made by the first build that needs it, mode 0600. */
  secretKey(): Uint8Array {
    this.#secretKey ??= this.#readSecretKey();
    return this.#secretKey;
  }

  #readSecretKey(): Uint8Array {
    const file = path.join(this.root, "secret.key");
    const found = readKey(file);
    if (found !== undefined) return found;
    const key = newSecretKey();
    if (this.#writable) {
      rmSync(file, { recursive: true, force: true });
      writeFileSync(file, key, { mode: 0o600 });
    }
    return key;
  }
}

function isLink(target: string): boolean {
  return lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

/** A key that is damaged, unreadable or a directory is no key: what depended on it is built again. */
function readKey(file: string): Uint8Array | undefined {
  try {
    const key = readFileSync(file);
    return key.length === 32 ? key : undefined;
  } catch {
    return undefined;
  }
}

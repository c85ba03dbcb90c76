/**
 * Everything that outlives a run: stamps, the stat cache, the store, the workspace's secret key. All of it may be
 * lost or damaged at any time without a wrong result; the worst is work done again.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { systemErrorCode, UserError } from "../errors/index.ts";
import { type Clock, FileTable } from "./file-table.ts";
import type { AbsolutePath } from "./names.ts";
import { newSecretKey } from "./parameter.ts";
import { RecordLog } from "./record-log.ts";
import { Stamps } from "./stamp.ts";
import { Store } from "./store.ts";

export class State {
  readonly workspace: AbsolutePath;
  /** `.buildcache/v1` of the workspace. */
  readonly root: AbsolutePath;
  readonly clock: Clock;
  readonly store: Store;
  readonly stamps: Stamps;
  readonly files: FileTable;
  /** The stat cache and the remembered file sets. */
  readonly fileLog: RecordLog;
  readonly #stampLog: RecordLog;
  #secretKey: Uint8Array | undefined;

  constructor(workspace: AbsolutePath, clock: Clock = Date) {
    this.workspace = workspace;
    this.clock = clock;
    this.root = path.join(workspace, ".buildcache", "v1") as AbsolutePath;
    this.#stampLog = new RecordLog(path.join(this.root, "stamps.log"));
    this.fileLog = new RecordLog(path.join(this.root, "files.log"));
    this.store = new Store(path.join(this.root, "store") as AbsolutePath);
    this.stamps = new Stamps(this.#stampLog);
    this.files = new FileTable(this.fileLog, clock);
  }

  get lockFile(): AbsolutePath {
    return path.join(this.root, "lock") as AbsolutePath;
  }

  /** Where tasks without an artefact path leave their outputs. */
  get outputRoot(): AbsolutePath {
    return path.join(this.root, "out") as AbsolutePath;
  }

  /** Staging and scratch folders of running tasks. */
  get temporaryRoot(): AbsolutePath {
    return path.join(this.root, "tmp") as AbsolutePath;
  }

  /** One sentence for each state file that could not be used as it was. */
  damage(): readonly string[] {
    const logs = [
      ["stamps.log", this.#stampLog.damage],
      ["files.log", this.fileLog.damage],
    ] as const;
    return logs.flatMap(([name, damage]) => {
      if (damage.foreign) return [`${name} was not written by this version; it is started anew`];
      if (damage.damagedLines === 0) return [];
      return [`${name} had ${damage.damagedLines} damaged line(s); what they recorded is done again`];
    });
  }

  /** Makes the folder, and says clearly when it cannot be written. Needs no lock. */
  prepare(): void {
    try {
      mkdirSync(this.root, { recursive: true });
      writeFileSync(path.join(this.workspace, ".buildcache", ".gitignore"), "*\n");
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === undefined) throw error;
      throw new UserError(`the cache folder cannot be written (${code})`, {
        code: "cache-not-writable",
        where: this.root,
        hint: "make the workspace writable for this user, or remove what is in the folder's place",
        cause: error,
      });
    }
  }

  /** Removes what an interrupted run left. Needs the lock. */
  removeTemporaries(): void {
    rmSync(this.temporaryRoot, { recursive: true, force: true });
  }

  /** Writes what is pending, and tidies the logs when they have grown. Needs the lock. */
  save(): void {
    for (const log of [this.#stampLog, this.fileLog]) {
      log.flush();
      if (log.wantsCompaction) log.compact();
    }
  }

  /** A random key that stays in this workspace; made on first use, mode 0600. */
  secretKey(): Uint8Array {
    this.#secretKey ??= this.#readSecretKey();
    return this.#secretKey;
  }

  #readSecretKey(): Uint8Array {
    const file = path.join(this.root, "secret.key");
    try {
      const key = readFileSync(file);
      if (key.length === 32) return key;
    } catch (error) {
      if (systemErrorCode(error) !== "ENOENT") throw error;
    }
    const key = newSecretKey();
    mkdirSync(this.root, { recursive: true });
    rmSync(file, { force: true });
    writeFileSync(file, key, { mode: 0o600 });
    return key;
  }
}

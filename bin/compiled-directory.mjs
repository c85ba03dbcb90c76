// The directory for what is compiled: where it is, and what in it is old.
import { lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { dropLink, keyName, writeNew } from "./compiled-record.js";

/**
 * Removes what was compiled long ago; a recent directory may still be in use by another process.
 * @param {string} directory
 * @param {readonly string[]} current
 */
export function removeOldDirectories(directory, current) {
  for (const name of readdirSync(directory)) {
    const old = path.join(directory, name);
    if (current.includes(old) || name === "manifest.json" || name === keyName) continue;
    if (Date.now() - lstatSync(old).mtimeMs > 3_600_000) rmSync(old, { recursive: true, force: true });
  }
}

/**
 * The cache, or where it cannot be written a directory of this user's own: a read-only checkout can still say what it
 * would do.
 * @param {string} cache
 */
export function writableDirectory(cache) {
  try {
    dropLink(cache);
    mkdirSync(cache, { recursive: true });
    const probe = path.join(cache, `${process.pid}.tmp`);
    writeNew(probe, "");
    rmSync(probe);
    return cache;
  } catch {
    const own = path.join(tmpdir(), `razor-mk-${process.getuid?.() ?? 0}-${process.pid}`);
    mkdirSync(own, { recursive: true, mode: 0o700 });
    process.once("exit", () => rmSync(own, { recursive: true, force: true }));
    return own;
  }
}

// Where benchmarks work, and how they run programs that are not measured. It knows of no benchmark.
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { $ } from "zx";

/** Absolute path of the checkout. */
export const checkout = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** The command that is measured. */
export const taskProgram = path.join(checkout, "bin/task.js");

/** Absolute path of a directory below the one of all benchmarks, which is not committed and may be removed at any time. */
/** @param {readonly string[]} names */
export function place(...names) {
  return path.join(checkout, ".buildcache", "bench", ...names);
}

/** A directory for what is kept for a moment only. */
export async function scratch() {
  const directory = place("scratch");
  await mkdir(directory, { recursive: true });
  return directory;
}

/**
 * An empty directory, whatever was there before.
 * @param {readonly string[]} names
 */
export async function emptyPlace(...names) {
  const directory = place(...names);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  return directory;
}

/** What programs see when they are measured: none of the settings that change how Node starts, no proxy, no telemetry. */
export function environment() {
  return {
    PATH: [process.env.PATH ?? "/usr/bin:/bin", "/usr/sbin", "/sbin"].join(":"),
    HOME: process.env.HOME ?? "/",
    LANG: "C",
    TURBO_TELEMETRY_DISABLED: "1",
    DO_NOT_TRACK: "1",
    NX_NO_CLOUD: "true",
    NX_TUI: "false",
  };
}

/**
 * Runs programs in the same process group as we are, so that Ctrl-C ends them too.
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv }} options
 */
export function shell({ cwd, env = process.env }) {
  return $({ cwd, env, quiet: true, verbose: false, detached: false, stdio: ["ignore", "pipe", "pipe"] });
}

/**
 * Builds until nothing is new any more: files that were just written are not believed to be unchanged, nor is what was
 * then written down of them.
 * @param {() => Promise<unknown>} build
 */
export async function settle(build) {
  await build();
  for (let round = 0; round < 2; round += 1) {
    // Longer than the grain of any clock.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await build();
  }
}

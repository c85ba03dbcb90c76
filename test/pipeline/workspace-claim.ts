/** Which process of the tests has a workspace: a file with its process id, which one that is gone leaves behind. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { systemErrorCode } from "../../src/errors/index.ts";

/** Claims what `file` (absolute) stands for, until this process ends; false while a living process has it. */
export function claim(file: string): boolean {
  for (;;) {
    if (create(file, process.pid)) return true;
    const holder = read(file);
    if (holder === process.pid) return true;
    // One that is being written is empty.
    if (holder === 0 || (holder !== undefined && isAlive(holder))) return false;
    const away = `${file}.${process.pid}`;
    if (holder === undefined || !move(file, away)) continue;
    const moved = read(away);
    rmSync(away);
    // Another process was quicker: what was moved is its claim.
    if (moved !== holder && moved !== undefined) create(file, moved);
  }
}

function create(file: string, holder: number): boolean {
  return unless("EEXIST", () => writeFileSync(file, `${holder}`, { flag: "wx" }));
}

function move(from: string, to: string): boolean {
  return unless("ENOENT", () => renameSync(from, to));
}

function read(file: string): number | undefined {
  let text = "";
  return unless("ENOENT", () => (text = readFileSync(file, "utf8"))) ? Number(text) : undefined;
}

function isAlive(pid: number): boolean {
  return unless("ESRCH", () => process.kill(pid, 0));
}

/** Whether it could be done; throws for another reason than this one. */
function unless(code: string, act: () => unknown): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if (systemErrorCode(error) === code) return false;
    throw error;
  }
}

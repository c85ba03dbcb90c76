/**
 * The script that starts a job on a node, where nothing but Node is installed: it takes the program from the remote cache, checks it,
 * and runs it in a directory of its own, which it removes. It ends with its standard input, that is with the machine that submitted it.
 */
import type { Digest } from "../engine/index.ts";
import type { ServerLocation } from "./server.ts";

/** The variable that holds what the script is to do: a command line can be read by every user of a node. */
export const jobVariable = "RAZOR_MK_JOB";

interface JobStart {
  readonly location: ServerLocation;
  readonly program: Digest;
  readonly job: Digest;
}

/** The value of the variable. */
export function encodeStart(start: JobStart): string {
  return JSON.stringify(start);
}

/** For `node -e`. */
export const startScript = `
const { createHash } = require("node:crypto");
const { mkdtempSync, readdirSync, rmSync, writeFileSync } = require("node:fs");
const { hostname, tmpdir } = require("node:os");
const { join } = require("node:path");
const { location, program, job } = JSON.parse(process.env.${jobVariable});
delete process.env.${jobVariable};
const node = process.env.SLURMD_NODENAME || hostname();
const remove = (directory) => rmSync(directory, { recursive: true, force: true });
const isAlive = (pid) => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code !== "ESRCH";
  }
};
// A job that was killed could not remove its directory.
for (const name of readdirSync(tmpdir())) {
  const [, pid] = /^razor-mk-job-(\\d+)-/.exec(name) || [];
  if (pid === undefined || isAlive(Number(pid))) continue;
  try {
    remove(join(tmpdir(), name));
  } catch {
    // It is another user's.
  }
}
const directory = mkdtempSync(join(tmpdir(), "razor-mk-job-" + process.pid + "-"));
process.on("exit", () => remove(directory));
const controller = new AbortController();
let ends = false;
const end = () => {
  if (ends) return;
  ends = true;
  controller.abort(new Error("the job was cancelled"));
  setTimeout(() => process.exit(75), 5000).unref();
};
process.stdin.on("end", end).on("error", end).resume();
process.stdin.unref?.();
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, end);
(async () => {
  process.stdout.write(JSON.stringify({ type: "started", node }) + "\\n");
  const answer = await fetch(location.origin + location.path + "/cas/" + program, { headers: location.headers, signal: controller.signal });
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (!answer.ok || createHash("sha256").update(bytes).digest("hex") !== program) throw new Error("the program is not in the remote cache");
  const file = join(directory, "program.cjs");
  writeFileSync(file, bytes);
  const { work, loadTaskfile, manifest } = require(file);
  return work({ directory, location, job, node, manifest, loadTaskfile, signal: controller.signal });
})().then((status) => process.exit(status), (error) => {
  process.stderr.write(node + ": " + (error && error.message) + "\\n");
  process.exit(75);
});
`;

// The program in watch mode, and what it says. It measures nothing.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { environment } from "./place.js";

/**
 * The program with --watch, once it has built; `begun` is what it said until then.
 * @param {import("./workspace.js").Workspace} workspace
 * @param {string[]} target A target of the sample's dev image, with its options.
 */
export async function openWatch({ root, task }, ...target) {
  const [program = "", ...words] = task(...target, "--source", "sample", "--watch", "--json");
  const child = spawn(program, words, {
    cwd: root,
    env: environment(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  /** @type {{ at: number, event: any }[]} */
  const told = [];
  let wake = () => {};
  createInterface(child.stdout).on("line", (line) => {
    told.push({ at: performance.now(), event: JSON.parse(line) });
    wake();
  });
  child.once("close", () => wake());
  /** @param {(event: any) => boolean} wanted */
  const next = async (wanted) => {
    for (;;) {
      const index = told.findIndex(({ event }) => wanted(event));
      const [found] = index === -1 ? [] : told.splice(0, index + 1).slice(-1);
      if (found !== undefined) return found;
      if (child.exitCode !== null) throw new Error("the watch ended");
      await new Promise((resolve) => {
        wake = () => resolve(undefined);
      });
    }
  };
  while (!told.some(({ event }) => event.type === "cycle-finished")) {
    if (child.exitCode !== null) throw new Error("the watch ended");
    await new Promise((resolve) => {
      wake = () => resolve(undefined);
    });
  }
  const begun = told.splice(0).map(({ event }) => event);
  return {
    begun,
    next,
    close: async () => {
      child.kill("SIGINT");
      if (child.exitCode === null) await once(child, "close");
    },
  };
}

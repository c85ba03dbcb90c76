/** What the machine itself offers: Node, free space, emulation, locale. It changes nothing. */
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import path from "node:path";
import { reportTool } from "../../host/index.ts";
import { formatBytes } from "../terminal/style.ts";
import type { Line } from "./line.ts";

/** `packageRoot` is the absolute path of the program's own directory, whose package.json says which Node is needed. */
export function checkNode(packageRoot: string): Line {
  const text = readFileSync(path.join(packageRoot, "package.json"), "utf8");
  const wanted = (JSON.parse(text) as { readonly engines: { readonly node: string } }).engines.node;
  const [major = 0, minor = 0] = numbersOf(wanted);
  const [ownMajor = 0, ownMinor = 0] = numbersOf(process.versions.node);
  const isEnough = ownMajor > major || (ownMajor === major && ownMinor >= minor);
  const about = `${process.versions.node} (${process.execPath}), but ${wanted} is required`;
  if (isEnough) return { check: "node", status: "good", text: about };
  return { check: "node", status: "missing", text: about, hint: "install a newer Node" };
}

function numbersOf(version: string): readonly number[] {
  return (version.match(/\d+/g) ?? []).map(Number);
}

/** Bytes that the first build of an image takes, cache and all, and that one with a warm cache does. */
const comfortable = 2e9;
const least = 2e8;

/** Space on the file system of the absolute directory `root`. */
export async function checkSpace(root: string): Promise<Line> {
  const { bavail, bsize, files, ffree } = await statfs(root);
  const free = bavail * bsize;
  const text = `${formatBytes(free)} free for ${root}`;
  const check = "space";
  // Some file systems have no inodes to run out of, and say 0.
  if (files > 0 && ffree < 10_000)
    return { check, status: "missing", text: `only ${ffree} inodes free`, hint: "delete files" };
  if (free >= comfortable) return { check, status: "good", text };
  return {
    check,
    status: free >= least ? "advice" : "missing",
    text,
    hint: `a first build may take ${formatBytes(comfortable)}; \`task cache gc\` shrinks the cache, \`task clean --all\` empties it`,
  };
}

/** Virtual machines: only booting an image needs them. */
export async function checkEmulation(): Promise<Line> {
  const check = "boot";
  const { path: qemu, version, hint } = await reportTool("qemu-system-x86_64");
  if (qemu === undefined) {
    const text = "no QEMU: images are built, but cannot be booted here";
    return { check, status: "advice", text, ...(hint === undefined ? {} : { hint }) };
  }
  const named = `QEMU ${version ?? "(version unknown)"}`;
  if (!existsSync("/dev/kvm"))
    return { check, status: "good", text: `${named} without KVM: slower emulation` };
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
    return { check, status: "good", text: `${named} with KVM` };
  } catch {
    const text = `${named}; your user may not use KVM: slower emulation`;
    return {
      check,
      status: "advice",
      text,
      hint: "join the group of /dev/kvm, often `kvm`, and log in again",
    };
  }
}

/** What a build makes depends on no locale; what a terminal shows does. */
export function checkLocale(env: NodeJS.ProcessEnv): Line {
  const named = env.LC_ALL || env.LC_CTYPE || env.LANG || "";
  const check = "locale";
  if (/utf-?8/i.test(named)) return { check, status: "good", text: named };
  const text = `${named === "" ? "none is set" : named}: characters such as ✓ may not be displayed; builds do not depend on it`;
  return { check, status: "advice", text, hint: "set LANG, e.g. to C.UTF-8" };
}

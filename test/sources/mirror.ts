/**
 * All that a build fetches, on a server of the tests' own: a Core ISO, extensions with indexes, gems, tarballs. Every
 * request is written down with its answer's status.
 */
import { createHash } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { Shell } from "../../src/host/index.ts";
import { createFileHandler, serve } from "../../src/serve/index.ts";
import { gemBytes, gemSpecification } from "../hostile/gem-builder.ts";
import { squashfsBytes } from "../hostile/tcz-builder.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("cpio", "xorriso");

export const kernelRelease = "3.0.21-tinycore";

export interface Extension {
  readonly deps?: readonly string[];
  /** Other bytes under the same name. */
  readonly salt?: string;
}

export interface Mirror {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** `GET /path 200`, in the order in which the answers ended, since `forget`. */
  readonly log: readonly string[];
  /** How many requests were open at the same time, at most, since `forget`. */
  mostAtOnce(): number;
  forget(): void;
  /** Answers requests for the path with this status until `recover`. */
  fail(path: string, status: number): void;
  /** Answers requests for the path only when another one was answered, until `recover`. */
  hold(path: string, until: string): void;
  recover(): void;
  /** Replaces all extensions: name without `.tcz` → what it is. */
  stock(extensions: Readonly<Record<string, Extension>>): Promise<void>;
  /** Replaces all gems: name → versions, oldest first. */
  offerGems(gems: Readonly<Record<string, readonly string[]>>): Promise<void>;
  put(name: string, bytes: string | Buffer): Promise<void>;
  close(): Promise<void>;
}

/** The directory of extensions, as the server names it. */
export const shelf = "/4.x/x86/tcz";

/** Opens a mirror over `root` (absolute; made), with a Core ISO and tarballs, and neither extensions nor gems. */
export async function openMirror($: Shell, root: string): Promise<Mirror> {
  const log: string[] = [];
  const faults = new Map<string, number>();
  const held = new Map<string, Promise<void>>();
  const waiting = new Map<string, () => void>();
  const answer = createFileHandler(root);
  let open = 0;
  let most = 0;
  const server = await serve(async (request, response) => {
    const name = request.url ?? "";
    // A client may have all of an answer, and ask for the next file, just before this process hears that the answer is sent.
    await delay(5);
    open += 1;
    most = Math.max(most, open);
    response.once("close", () => {
      open -= 1;
      log.push(`${request.method} ${name} ${response.statusCode}`);
      waiting.get(name)?.();
    });
    const awaited = held.get(name);
    if (awaited !== undefined) await awaited;
    const status = faults.get(name);
    if (status === undefined) await answer(request, response);
    else response.writeHead(status, { "content-length": "0" }).end();
  });
  const put = async (name: string, bytes: string | Buffer): Promise<void> => {
    const file = path.join(root, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, bytes);
  };
  await makeIso($, root);
  await put("extras/rubygems-1.8.24.tgz", gzipSync("rubygems"));
  await put("extras/mcollective-2.0.0.tgz", gzipSync("mcollective"));
  return {
    url: server.url,
    log,
    mostAtOnce: () => most,
    forget() {
      log.splice(0);
      most = open;
    },
    fail: (name, status) => void faults.set(name, status),
    hold(name, until) {
      const answered = new Promise<void>((resolve) => {
        waiting.set(until, resolve);
      });
      held.set(name, answered);
    },
    recover() {
      faults.clear();
      held.clear();
      waiting.clear();
    },
    put,
    close: server.close,
    async stock(extensions) {
      await rm(path.join(root, shelf), { recursive: true, force: true });
      const all = Object.entries(extensions).map(([name, { deps = [], salt = "" }]) => ({
        file: `${name}.tcz`,
        deps: deps.map((dep) => `${dep}.tcz`),
        bytes: squashfsBytes(Buffer.alloc(2908, `${name}${salt}`)),
      }));
      for (const { file, deps, bytes } of all) {
        await put(`${shelf}/${file}`, bytes);
        await put(`${shelf}/${file}.md5.txt`, `${digest("md5", bytes)}  ${file}\n`);
        if (deps.length > 0) await put(`${shelf}/${file}.dep`, deps.map((dep) => `${dep}\n`).join(""));
      }
      const index = (name: string, text: string) => put(`${shelf}/${name}`, gzipSync(text));
      await index("md5.db.gz", all.map(({ file, bytes }) => `${digest("md5", bytes)}  ${file}\n`).join(""));
      await index("sizelist.gz", all.map(({ file, bytes }) => `${file} ${bytes.length}\n`).join(""));
      await index("dep.db.gz", all.map(({ file, deps }) => `${[file, ...deps].join("\n")}\n\n`).join(""));
    },
    async offerGems(gems) {
      await rm(path.join(root, "gems"), { recursive: true, force: true });
      for (const [name, versions] of Object.entries(gems)) {
        const lines: string[] = [];
        for (const version of versions) {
          const bytes = gemBytes(gemSpecification(name, version));
          lines.push(`${version} |checksum:${digest("sha256", bytes)}\n`);
          await put(`gems/gems/${name}-${version}.gem`, bytes);
        }
        await put(`gems/info/${name}`, `---\n${lines.join("")}`);
      }
    },
  };
}

/** The text of a sources file with this mirror as `tinycore`. */
export function sourcesFile(url: string): string {
  return [
    "tinycore:",
    `  mirror: ${url}`,
    "  release: 4.x",
    "  arch: x86",
    `  gems: ${url}/gems`,
    `  rubygems: ${url}/extras/rubygems-1.8.24.tgz`,
    `  mcollective: ${url}/extras/mcollective-2.0.0.tgz`,
    "  open-vm-tools: none",
    "",
  ].join("\n");
}

/** An ISO with a kernel that is none, and an initrd that has modules of one kernel. */
async function makeIso($: Shell, root: string): Promise<void> {
  const release = path.join(root, "4.x/x86/release");
  const tree = path.join(root, "iso tree");
  const initrd = path.join(root, "initrd tree");
  await mkdir(path.join(tree, "boot"), { recursive: true });
  await mkdir(path.join(initrd, "lib/modules", kernelRelease), { recursive: true });
  await mkdir(release, { recursive: true });
  await writeFile(path.join(tree, "boot/vmlinuz"), "kernel");
  const packed = await $({ cwd: initrd })`find . | cpio -o -H newc --quiet | gzip -n | base64 -w0`;
  await writeFile(path.join(tree, "boot/core.gz"), Buffer.from(packed.stdout, "base64"));
  const iso = path.join(release, "Core-current.iso");
  await $`xorriso -as mkisofs -quiet -R -o ${iso} ${tree}`;
  const sums = await $`md5sum ${iso}`;
  await writeFile(`${iso}.md5.txt`, `${sums.stdout.split(/\s/)[0]?.replace("\\", "")}  Core-current.iso\n`);
}

function digest(algorithm: "md5" | "sha256", bytes: Buffer): string {
  return createHash(algorithm).update(bytes).digest("hex");
}

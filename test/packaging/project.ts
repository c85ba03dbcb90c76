/** A project's `extensions/` for a test, and what becomes of it. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { bytesContent, FileTree } from "../../src/formats/index.ts";
import { createShell, ProcessGroups } from "../../src/host/index.ts";
import { readDefinitions } from "../../tasks/packaging/definition.ts";
import { type Made, makeOwnExtensions, ownByName } from "../../tasks/packaging/own-extensions.ts";
import { noSupply } from "../../tasks/recipe-supply.ts";

export const kernelRelease = "6.1.2-tinycore64";

/** Core, as far as extensions depend on it. */
export const core = new FileTree()
  .addFile("etc/passwd", bytesContent("root:x:0:0:\ntc:x:1001:50:\n"), { mtime: 0 })
  .addFile("etc/group", bytesContent("root:x:0:\nstaff:x:50:\nvideo:x:44:\n"), { mtime: 0 })
  .addFile("lib/libc.so.6", bytesContent(""), { mtime: 0 })
  .addFile("bin/busybox", bytesContent(""), { mtime: 0 })
  .ensureParents({ mtime: 0 });

export interface Project {
  /** Absolute path of a file in `extensions/`. */
  at(name: string): string;
  /** Absolute path of a made file. */
  made(name: string): string;
  /** Writes files of `extensions/`; an executable one has `*` before its path. */
  write(files: Readonly<Record<string, string | Uint8Array>>): void;
  /** Makes extensions, all without names; returns what was said, and what was made by name. */
  make(...names: readonly string[]): Promise<{
    readonly notes: readonly string[];
    readonly made: ReadonlyMap<string, Made>;
  }>;
  /** The lines that a program prints in the directory of what was made. */
  lines(program: string, ...args: readonly string[]): readonly string[];
  /** How many trees were packed so far. */
  packed(): number;
  remove(): void;
}

export function openProject(): Project {
  const root = mkdtempSync(path.join(tmpdir(), "own extensions "));
  const at = (name: string) => path.join(root, "extensions", name);
  const to = path.join(root, "made");
  mkdirSync(path.join(root, "extensions"));
  mkdirSync(path.join(root, "memo"));
  let packed = 0;
  return {
    at,
    made: (name) => path.join(to, name),
    write(files) {
      for (const [name, content] of Object.entries(files)) {
        const file = at(name.replace(/^\*/, ""));
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, content);
        chmodSync(file, name.startsWith("*") ? 0o755 : 0o644);
      }
    },
    async make(...names) {
      const entries = readdirSync(path.join(root, "extensions"), { withFileTypes: true })
        .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
        .sort();
      const { definitions, notes } = await readDefinitions(
        path.join(root, "extensions"),
        entries,
        "extensions",
      );
      const said = [...notes];
      rmSync(to, { recursive: true, force: true });
      mkdirSync(to);
      const groups = new ProcessGroups();
      const $ = await createShell({ cwd: root, groups, tools: ["mksquashfs", "unsquashfs"] });
      const done = new Map<string, string>();
      const own = {
        ...{ root: path.join(root, "extensions"), shown: "extensions", definitions },
        core: { kernelRelease, machine: 62, listing: core, read: async () => core, digest: async () => "" },
      };
      const wanted = names.length > 0 ? names : [...ownByName(definitions, kernelRelease).keys()];
      const made = await makeOwnExtensions(wanted, own, to, {
        ...{ $, scratch: path.join(root, "memo"), note: (sentence) => said.push(sentence), log: () => {} },
        ...noSupply,
        memo: async (key, make) => {
          const known = done.get(key.join(" "));
          if (known !== undefined) return known;
          const file = path.join(root, "memo", `packed-${packed++}`);
          await make(file);
          done.set(key.join(" "), file);
          return file;
        },
      });
      return { notes: said, made: new Map(made.map((one) => [one.name, one])) };
    },
    lines: (program, ...args) =>
      execFileSync(program, args, { cwd: to, encoding: "utf8" }).trimEnd().split("\n"),
    packed: () => packed,
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** A minimal ELF file (elf(5)): of this type and machine, with DT_NEEDED entries for these libraries. */
export function elf(machine: number, libraries: readonly string[], type = 2): Buffer {
  const strings = Buffer.from(`\0${libraries.map((name) => `${name}\0`).join("")}`);
  const [headers, dynamic] = [64 + 2 * 56, (libraries.length + 2) * 16];
  const bytes = Buffer.alloc(headers + dynamic + strings.length);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  bytes.writeUInt16LE(type, 16);
  bytes.writeUInt16LE(machine, 18);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(2, 56);
  const segment = (index: number, kind: number, offset: number, size: number): void => {
    const start = 64 + index * 56;
    bytes.writeUInt32LE(kind, start);
    bytes.writeBigUInt64LE(BigInt(offset), start + 8);
    bytes.writeBigUInt64LE(BigInt(offset), start + 16);
    bytes.writeBigUInt64LE(BigInt(size), start + 32);
  };
  segment(0, 1, 0, bytes.length);
  segment(1, 2, headers, dynamic);
  let offset = 1;
  libraries.forEach((name, index) => {
    bytes.writeBigUInt64LE(1n, headers + index * 16);
    bytes.writeBigUInt64LE(BigInt(offset), headers + index * 16 + 8);
    offset += name.length + 1;
  });
  bytes.writeBigUInt64LE(5n, headers + libraries.length * 16);
  bytes.writeBigUInt64LE(BigInt(headers + dynamic), headers + libraries.length * 16 + 8);
  bytes.set(strings, headers + dynamic);
  return bytes;
}

export function textAt(file: string): string {
  return readFileSync(file, "utf8");
}

import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { extractSquashfs, listSquashfs, packSquashfs, rootOwned, sniff } from "../../src/formats/index.ts";
import { usesPrograms } from "../support/programs.ts";
import { useWorkspace } from "./workspace.ts";

usesPrograms("unsquashfs", "mksquashfs");

const workspace = useWorkspace();
const oddName = 'a "b\\c" -> d';

async function makeDirectory(name: string, order: 1 | -1, mode: number): Promise<string> {
  const directory = workspace.path(name);
  await mkdir(`${directory}/usr/local/bin`, { recursive: true });
  const files = ["usr/local/bin/tool", "usr/local/zzz", "usr/aaa", `usr/${oddName}`];
  for (const file of order === 1 ? files : files.reverse()) {
    await writeFile(`${directory}/${file}`, `content of ${file}`.repeat(500));
    await chmod(`${directory}/${file}`, file.endsWith("tool") ? mode | 0o100 : mode);
  }
  await symlink("tool -> x", `${directory}/usr/local/bin/link -> y`);
  await chmod(directory, order === 1 ? 0o700 : 0o755);
  return directory;
}

describe("packing squashfs", () => {
  test("gives the same bytes whatever the order and modes the files were made with", async () => {
    const packed: Buffer[] = [];
    for (const [name, order, mode] of [["one", 1, 0o600] as const, ["two", -1, 0o664] as const]) {
      const out = workspace.path(`${name}.tcz`);
      const directory = await makeDirectory(name, order, mode);
      await packSquashfs(workspace.$, directory, out, { epoch: 1_700_000_000, policy: rootOwned });
      packed.push(await readFile(out));
    }
    expect(packed[0]).toEqual(packed[1]);
    expect(sniff(packed[0] ?? Buffer.of())).toBe("squashfs");
  });

  test("writes 4 KiB blocks, gzip, no extended attributes and the given time, and root owns the top", async () => {
    const directory = await makeDirectory("facts", 1, 0o644);
    const out = workspace.path("facts.tcz");
    await packSquashfs(workspace.$, directory, out, { epoch: 86_400 });
    const facts = (await workspace.$`unsquashfs -s ${out}`).stdout;
    expect(facts).toMatch(/Compression gzip/);
    expect(facts).toMatch(/Block size 4096/);
    expect(facts).toMatch(/Xattrs are not stored/);
    expect(facts).toMatch(/Fri Jan +2 00:00:00 1970/);
    const listing = (await workspace.$`unsquashfs -lls ${out}`).stdout;
    expect(listing).toMatch(/^drwxr-xr-x root\/root .* 1970-01-02 00:00 squashfs-root$/m);
  });

  test("takes modes and owners from the policy", async () => {
    const directory = await makeDirectory("policy", 1, 0o600);
    const out = workspace.path("policy.tcz");
    await packSquashfs(workspace.$, directory, out, {
      epoch: 0,
      policy: (path, entry) =>
        path === "usr/local" ? { mode: 0o2775, uid: 0, gid: 50 } : rootOwned(path, entry),
    });
    const entries = await listSquashfs(workspace.$, out);
    expect(entries.find(({ path }) => path === "usr/local")).toMatchObject({ mode: 0o2775, uid: 0, gid: 50 });
    expect(entries.find(({ path }) => path === `usr/${oddName}`)).toMatchObject({ mode: 0o644, gid: 0 });
    expect(entries.find(({ path }) => path === "usr/local/bin/tool")).toMatchObject({ mode: 0o755 });
  });

  test("replaces a file that is there, and packs an empty directory", async () => {
    const out = workspace.path("empty.tcz");
    await writeFile(out, "old");
    await mkdir(workspace.path("empty"));
    await packSquashfs(workspace.$, workspace.path("empty"), out, { epoch: 0, policy: rootOwned });
    expect(await listSquashfs(workspace.$, out)).toEqual([]);
  });
});

describe("reading squashfs", () => {
  test("lists paths with odd names, types, sizes and link targets", async () => {
    const directory = await makeDirectory("list", 1, 0o644);
    const out = workspace.path("list.tcz");
    await packSquashfs(workspace.$, directory, out, { epoch: 0 });
    const entries = await listSquashfs(workspace.$, out);
    expect(entries.map(({ path }) => path)).toEqual([
      "usr",
      `usr/${oddName}`,
      "usr/aaa",
      "usr/local",
      "usr/local/bin",
      "usr/local/bin/link -> y",
      "usr/local/bin/tool",
      "usr/local/zzz",
    ]);
    expect(entries[5]).toMatchObject({ type: "symlink", target: "tool -> x" });
    expect(entries[2]).toEqual({ path: "usr/aaa", type: "file", mode: 0o644, uid: 0, gid: 0, size: 9000 });
  });

  test("unpacks only what is named, beside what is there already", async () => {
    const directory = await makeDirectory("some", 1, 0o644);
    const out = workspace.path("some.tcz");
    const into = workspace.path("some-out");
    await packSquashfs(workspace.$, directory, out, { epoch: 0 });
    await extractSquashfs(workspace.$, out, [`usr/${oddName}`], into);
    await extractSquashfs(workspace.$, out, ["usr/local/bin"], into);
    const found = (await workspace.$`cd ${into} && find . -type f`).stdout.trim().split("\n").sort();
    expect(found).toEqual([`./usr/${oddName}`, "./usr/local/bin/tool"]);
  });

  test("says which name is missing, and that a page is no squashfs file", async () => {
    const directory = await makeDirectory("missing", 1, 0o644);
    const out = workspace.path("missing.tcz");
    await packSquashfs(workspace.$, directory, out, { epoch: 0 });
    const none = extractSquashfs(workspace.$, out, ["usr/a*"], workspace.path("none"));
    await expect(none).rejects.toMatchObject({ code: "member-missing", where: out });
    const page = workspace.path("page.tcz");
    await writeFile(page, "<html>404</html>");
    await expect(listSquashfs(workspace.$, page)).rejects.toMatchObject({ code: "tool-failed", where: page });
  });

  test("refuses set-user-id files unless they are wanted, and only where they are asked for", async () => {
    const directory = await makeDirectory("setid", 1, 0o644);
    const out = workspace.path("setid.tcz");
    await chmod(`${directory}/usr/aaa`, 0o4755);
    await packSquashfs(workspace.$, directory, out, { epoch: 0 });
    const refused = extractSquashfs(workspace.$, out, "all", workspace.path("setid-out"));
    await expect(refused).rejects.toMatchObject({ code: "unsafe-entry", where: `${out}: usr/aaa` });
    await extractSquashfs(workspace.$, out, ["usr/local"], workspace.path("setid-out"));
    await extractSquashfs(workspace.$, out, "all", workspace.path("setid-out"), { refuseSetId: false });
  });
});

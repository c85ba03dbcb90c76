import { readFile, rm, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { ci, extensions, fetchAll, lockName, useWorkshop } from "./workshop.ts";

usesPrograms("strace");

const shop = useWorkshop();

describe("the lock", () => {
  it("stands against a release that moved, and says that upstream agrees with the new bytes", async () => {
    const { workspace, mirror } = shop;
    await workspace.build(fetchAll);
    await mirror.stock({ ...extensions, bash: { deps: ["ncurses"], salt: "new" } });
    await shop.emptyCache();
    const moved = await workspace.task(fetchAll);
    expect(moved.status).toBe(1);
    expect(moved.stderr).toContain("bash.tcz does not match the lock");
    expect(moved.stderr).toContain("upstream released a new version");
    expect(moved.stderr).toContain("npx task update bash.tcz");
  });

  it("is frozen where CI is set: all that is not pinned is named, and nothing is asked", async () => {
    const { workspace, mirror } = shop;
    await workspace.build(fetchAll);
    mirror.forget();
    await workspace.build(fetchAll, { env: ci });
    await shop.writeList("builtin-extensions.lst", "nano.tcz\nbash.tcz\nreadline.tcz\n");
    const frozen = await workspace.task(fetchAll, { env: ci });
    expect(frozen.status).toBe(1);
    expect(frozen.stderr).toContain("lists/builtin-extensions.lst:1");
    expect(frozen.stderr).toContain("nano.tcz");
    expect(frozen.stderr).toContain("readline.tcz");
    expect(frozen.stderr).toContain("--frozen");
    expect(mirror.log).toEqual([]);
  });

  it("offline: what is not pinned and what is not in the store are named together", async () => {
    const { workspace, mirror } = shop;
    await workspace.build(fetchAll);
    await workspace.build([...fetchAll, "--offline", "--force"]);
    mirror.forget();
    const { bash } = (JSON.parse(await shop.lockText()) as { sources: { tinycore: Record<string, unknown> } })
      .sources.tinycore;
    expect(bash).toBeUndefined();
    await rm(await shop.blobOf("dev/fetch-tcz/builtin/optional/bash.tcz"));
    await shop.writeList("builtin-extensions.lst", "bash.tcz\nnano.tcz\n");
    const offline = await workspace.task([...fetchAll, "--offline"]);
    expect(offline.status).toBe(1);
    expect(offline.stderr).toMatch(/2 artifacts are missing, and offline mode forbids the download/);
    expect(offline.stderr).toContain("nano.tcz");
    expect(offline.stderr).toContain("bash.tcz");

    await rm(await shop.blobOf("shared/fetch-gems/gems/daemons-1.1.9.gem"));
    await shop.writeList("gem.list", "daemons\nstomp\nfacter\n");
    const gems = await workspace.task(["fetch-gems", "--offline"]);
    expect(gems.status).toBe(1);
    expect(gems.stderr).toMatch(/2 artifacts are missing, and offline mode forbids the download/);
    expect(gems.stderr).toContain("facter (lists/gem.list:3)");
    expect(gems.stderr).toContain("daemons-1.1.9.gem");
    expect(mirror.log).toEqual([]);
  });

  it("keeps the pins of a mirror named by its URL apart, without the password in it", async () => {
    const { workspace, mirror } = shop;
    await workspace.build(["fetch-iso"]);
    const before = await shop.locked();
    const secret = mirror.url.replace("//", "//user:geheim@");
    const result = await workspace.build(["fetch-iso", "--source", secret, "--json"]);
    expect(await shop.locked()).toEqual(before);
    expect(await shop.locked(`${mirror.url}/`)).toEqual(["Core-current.iso"]);
    const why = await workspace.build(["why", "fetch-iso"]);
    const log = await readFile(workspace.path(".buildcache/v1/stamps.log"), "utf8");
    for (const text of [await shop.lockText(), result.stdout, result.stderr, why.stdout, log]) {
      expect(text).not.toContain("geheim");
    }
  });

  it("is made with the credentials of the sources file, which are nowhere else: in no blob, record, log or message", async () => {
    const { workspace, mirror } = shop;
    const file = workspace.path("lists/sources.yaml");
    const original = await readFile(file, "utf8");
    const printed: string[] = [];
    const run = async (args: readonly string[], password: string) => {
      const withCredentials = original.replaceAll(
        mirror.url,
        mirror.url.replace("//", `//user:${password}@`),
      );
      expect(withCredentials).toContain(password);
      await writeFile(file, withCredentials);
      const result = await workspace.task(args);
      printed.push(result.stdout, result.stderr);
      return result;
    };
    expect(
      await run([...fetchAll, "--verbose", "--summary", "build.json", "--trace", "trace.json"], "geheim-1"),
    ).toMatchObject({
      status: 0,
    });
    const why = await run(["why", "fetch-tcz"], "geheim-2");
    expect(why.stdout).toContain("lists/sources.yaml changed");
    const moved = original.replace("release: 4.x", "release: 4.x # http://user:geheim-3@mirror/");
    await writeFile(file, moved);
    printed.push((await workspace.build(["why", "fetch-tcz", "--json"])).stdout);
    expect(printed.at(-1)).toContain("sources.yaml");
    const places = [".buildcache", "build.json", "trace.json"].map((name) => workspace.path(name));
    const found = await workspace.$({ nothrow: true })`grep -rlF geheim- ${places}`;
    expect(found.stdout).toBe("");
    expect(found.exitCode).toBe(1);

    await shop.emptyCache();
    mirror.fail("/4.x/x86/release/Core-current.iso", 404);
    expect((await run([...fetchAll, "--verbose"], "geheim-4")).stderr).toContain("Core-current.iso");
    for (const text of [...printed, await shop.lockText()]) expect(text).not.toContain("geheim");
  });

  it("that cannot be read is named with its line, and nothing is overwritten", async () => {
    const { workspace } = shop;
    await workspace.build(["fetch-iso"]);
    const broken = (await shop.lockText()).replace('"sha256":"', '"sha256":"x');
    await writeFile(workspace.path(lockName), broken);
    const result = await workspace.task(["fetch-iso"]);
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/lists\/sources\.lock\.json:\d+/);
    expect(await shop.lockText()).toBe(broken);
  });
});

describe("why", () => {
  it("names the lines of a list and of the lock that changed, three at most", async () => {
    const { workspace } = shop;
    await workspace.build(fetchAll);
    await shop.writeList("builtin-extensions.lst", "bash.tcz\nnano.tcz\nscsi-KERNEL.tcz\n");
    const list = await workspace.build(["why", "fetch-tcz"]);
    expect(list.stdout).toContain(
      "lists/builtin-extensions.lst changed: nano.tcz added, openssh.tcz removed",
    );

    const lines = (await shop.lockText()).replace(/("bash\.tcz": \{.*"size":)3004/, "$13005");
    await writeFile(workspace.path(lockName), lines);
    const lock = await workspace.build(["why", "fetch-tcz"]);
    expect(lock.stdout).toContain("lists/sources.lock.json changed: bash.tcz changed");
    const gems = await workspace.build(["why", "fetch-gems"]);
    expect(gems.stdout).toContain("fetch-gems: fresh");

    await shop.writeList("builtin-extensions.lst", "a.tcz\nb.tcz\nc.tcz\nd.tcz\n");
    const many = await workspace.build(["why", "fetch-tcz"]);
    expect(many.stdout).toContain("a.tcz added, b.tcz added, c.tcz added, and 4 more");
  });
});

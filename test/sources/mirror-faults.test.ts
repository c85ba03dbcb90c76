/** Mirrors that fail, builds that are offline, and files without an upstream digest. */
import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { shelf } from "./mirror.ts";
import { ci, extensions, fetchAll, useWorkshop } from "./workshop.ts";

const shop = useWorkshop();

describe("a build with --offline", () => {
  it("lists all that every step is missing at once, also where nothing is pinned", async () => {
    const { workspace, mirror } = shop;
    const result = await workspace.task([...fetchAll, "--offline"]);
    expect(result.status).toBe(1);
    for (const name of [
      "Core-current.iso",
      "bash.tcz (lists/builtin-extensions.lst:1)",
      "openssh.tcz",
      "glib2.tcz",
      "util-linux.tcz",
      "daemons",
      "stomp",
      "rubygems-1.8.24.tgz",
      "mcollective-2.0.0.tgz",
    ]) {
      expect(result.stderr).toContain(name);
    }
    expect(mirror.log).toEqual([]);
    // One job at a time makes no difference.
    const single = await workspace.task([...fetchAll, "--offline", "-j", "1"]);
    for (const name of ["Core-current.iso", "bash.tcz", "daemons", "rubygems"]) {
      expect(single.stderr).toContain(name);
    }
  });

  it("does the same where CI freezes the lock, and does not repeat what a step says itself", async () => {
    const { workspace, mirror } = shop;
    const frozen = await workspace.task(fetchAll, { env: ci });
    for (const name of ["Core-current.iso", "bash.tcz", "daemons", "rubygems"]) {
      expect(frozen.stderr).toContain(name);
    }
    expect(mirror.log).toEqual([]);
    await workspace.build(["fetch-iso"]);
    const later = await workspace.task(["fetch-tcz", "--offline", "--force"]);
    expect(later.stderr.match(/bash\.tcz/g)).toHaveLength(1);
  });
});

describe("a mirror that fails", () => {
  it("is asked four times for a file, not as often again for the prefetch of the same file", async () => {
    const { workspace, mirror } = shop;
    // The Core ISO comes when the prefetch has met the fault.
    mirror.fail(`${shelf}/bash.tcz`, 503);
    mirror.hold("/4.x/x86/release/Core-current.iso", `${shelf}/bash.tcz`);
    const result = await workspace.task(["fetch-tcz"]);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("the server answered 503 (4 tries)");
    expect(mirror.log.filter((line) => line.includes("/bash.tcz "))).toHaveLength(4);
  });

  it("lacks what an extension needs, and builds once it is repaired, whatever was pinned meanwhile", async () => {
    const { workspace, mirror } = shop;
    await mirror.stock({ ...extensions, bash: { deps: ["wifi-KERNEL"] } });
    const failed = await workspace.task(["fetch-tcz"]);
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain("bash.tcz needs wifi-3.0.21-tinycore.tcz");
    await mirror.stock(extensions);
    await workspace.build(["fetch-tcz"]);
    const lock = JSON.parse(await shop.lockText()) as { sources: { tinycore: Record<string, object> } };
    expect(lock.sources.tinycore["bash.tcz"]).toMatchObject({ deps: ["ncurses.tcz"] });
    mirror.forget();
    await workspace.build(["fetch-tcz", "--force"]);
    expect(mirror.log).toEqual([]);
  });
});

describe("a place that nothing can be fetched from", () => {
  it.each([
    ["--tcl-mirror-uri", "http://127.0.0.1:9/m?x=1", "a query (?)"],
    ["--tcl-mirror-uri", "http://127.0.0.1:9/m#part", "a fragment (#)"],
    ["--gem-server-uri", "http://127.0.0.1:9/gems?", "a query (?)"],
    ["--source", "https://127.0.0.1:9/m?x=1", "a query (?)"],
    ["--tcl-mirror-uri", "file:../m", "without an absolute path"],
    ["--ruby-gems-url", "file:x.tgz", "without an absolute path"],
    ["--tcl-iso-url", "ftp://127.0.0.1/Core.iso", "only http, https and file"],
  ])("is refused at %s as a usage error: %s", async (option, url, text) => {
    const result = await shop.workspace.task(["fetch-iso", "fetch-gems", "fetch-extras", option, url]);
    expect(result.status).toBe(2);
    expect(result.stderr).toContain(option);
    expect(result.stderr).toContain(text);
    expect(result.stderr).not.toContain("captive portal");
  });
});

describe("what upstream has no digest of", () => {
  it("is named once with its sha256, and an update shows the old and the new one", async () => {
    const { workspace, mirror } = shop;
    const sha256 = async (name: string) =>
      createHash("sha256")
        .update(await readFile(`${shop.directory}/mirror root/extras/${name}`))
        .digest("hex");
    const old = await sha256("rubygems-1.8.24.tgz");
    const first = await workspace.build(["fetch-extras"]);
    expect(first.stderr).toContain(`rubygems-1.8.24.tgz is pinned unchecked, sha256 ${old}`);
    expect((await workspace.build(["fetch-extras", "--force"])).stderr).not.toContain("pinned unchecked");
    const bytes = await readFile(`${shop.directory}/mirror root/extras/rubygems-1.8.24.tgz`);
    try {
      await mirror.put("extras/rubygems-1.8.24.tgz", Buffer.concat([bytes, bytes]));
      const { stdout } = await workspace.build(["update", "rubygems-1.8.24.tgz"]);
      expect(stdout).toContain(`rubygems-1.8.24.tgz: sha256 ${old} → ${await sha256("rubygems-1.8.24.tgz")}`);
    } finally {
      await mirror.put("extras/rubygems-1.8.24.tgz", bytes);
      await rm(workspace.path("lists/sources.lock.json"), { force: true });
    }
  });
});

/** Fetching as a user sees it: what is downloaded, when, and what is told of it; what is there is never downloaded again. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { commandEnvironment } from "../pipeline/workspace.ts";
import { usesPrograms } from "../support/programs.ts";
import { shelf } from "./mirror.ts";
import { extensions, fetchAll, lockName, rebuilt, useWorkshop } from "./workshop.ts";

usesPrograms("strace");

const shop = useWorkshop();

describe("fetching", () => {
  it("pins what was resolved, and opens no connection the second time, nor after a clean", async () => {
    const { workspace, mirror } = shop;
    await workspace.build(fetchAll);
    expect(await shop.locked()).toEqual([
      "Core-current.iso",
      "bash.tcz",
      "daemons-1.1.9.gem",
      "glib2.tcz",
      "glib2.tcz.info",
      "glib2.tcz.list",
      "libffi.tcz",
      "libffi.tcz.info",
      "libffi.tcz.list",
      "mcollective-2.0.0.tgz",
      "ncurses.tcz",
      "openssh.tcz",
      "openssl.tcz",
      "rubygems-1.8.24.tgz",
      "scsi-3.0.21-tinycore.tcz",
      "stomp-1.2.8.gem",
      "util-linux.tcz",
    ]);
    const lock = await shop.lockText();

    mirror.forget();
    const again = await workspace.build(fetchAll);
    expect(rebuilt(again)).toEqual([]);
    await workspace.build(["clean"]);
    expect(rebuilt(await workspace.build(fetchAll))).toEqual([]);
    const forced = rebuilt(await workspace.build([...fetchAll, "--force"]));
    expect(forced.filter((name) => name.startsWith("fetch-"))).toHaveLength(4);
    await workspace.build([...fetchAll, "--prod"]);
    await workspace.build([...fetchAll, "--debug"]);
    expect(mirror.log).toEqual([]);
    expect(await shop.lockText()).toBe(lock);
  });

  it("asks for the indexes once, and for what no kernel decides about while the Core ISO is on its way", async () => {
    const { workspace, mirror } = shop;
    const iso = "/4.x/x86/release/Core-current.iso";
    mirror.hold(iso, `${shelf}/bash.tcz`);
    await workspace.build(["fetch-tcz"]);
    const asked = mirror.log.map((line) => line.split(" ")[1] ?? "");
    expect(asked.indexOf(`${shelf}/bash.tcz`)).toBeLessThan(asked.indexOf(iso));
    expect(asked.indexOf(`${shelf}/scsi-3.0.21-tinycore.tcz`)).toBeGreaterThan(asked.indexOf(iso));
    expect(asked.length).toBe(new Set(asked).size);
    expect(asked.filter((name) => name.endsWith(".db.gz") || name.endsWith("sizelist.gz"))).toHaveLength(3);
  });

  it("downloads no more at once than it may, and makes the same of it", async () => {
    const { workspace, mirror } = shop;
    mirror.forget();
    await workspace.build([...fetchAll, "--downloads", "1"]);
    expect(mirror.mostAtOnce()).toBe(1);
    // Another number is no other build.
    expect(rebuilt(await workspace.build([...fetchAll, "--downloads-per-server", "3"]))).toEqual([]);
    const refused = await workspace.task(["fetch-gems", "--downloads", "none"]);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain("a number from 1 to 99");
  });

  it("touches nothing but what its steps declare, downloads, pins and libraries that are loaded late included", async () => {
    const { workspace } = shop;
    const { stderr } = await workspace.build([...fetchAll, "--strict"]);
    expect(stderr).not.toContain("does not declare");
    expect((await shop.locked()).length).toBeGreaterThan(0);
  });

  it("takes directories that the sources file names from the workspace, wherever it is called", async () => {
    const { workspace, mirror } = shop;
    const relative = "../mirror root";
    const text = (await readFile(workspace.path("lists/sources.yaml"), "utf8"))
      .replace(`gems: ${mirror.url}/gems`, `gems: ${relative}/gems`)
      .replace(`rubygems: ${mirror.url}`, `rubygems: ${relative}`);
    await writeFile(workspace.path("lists/sources.yaml"), text);
    const program = workspace.path("bin/task.js");
    const run = workspace.$({ cwd: workspace.path("overlay-src"), env: commandEnvironment() });
    await run`${process.execPath} ${program} fetch-gems fetch-extras`;
    expect(mirror.log).toEqual(["GET /extras/mcollective-2.0.0.tgz 200"]);
    expect(await shop.locked()).toContain("daemons-1.1.9.gem");
    expect(await shop.locked()).toContain("rubygems-1.8.24.tgz");
  });

  it("lays the extensions out in the order in which they are to be loaded", async () => {
    const { workspace } = shop;
    await workspace.build(["fetch-tcz"]);
    const out = workspace.path(".buildcache/v1/out/dev/fetch-tcz");
    const onboot = await readFile(`${out}/builtin/onboot.lst`, "utf8");
    expect(onboot).toBe("ncurses.tcz\nbash.tcz\nopenssl.tcz\nopenssh.tcz\nscsi-3.0.21-tinycore.tcz\n");
    expect(await readFile(`${out}/builtin/optional/bash.tcz.dep`, "utf8")).toBe("ncurses.tcz\n");
  });

  it("leaves out of production what only openssh needs, and asks for none of it", async () => {
    const { workspace, mirror } = shop;
    await workspace.build([...fetchAll, "--prod"]);
    const locked = await shop.locked();
    expect(locked.filter((name) => name.startsWith("openss"))).toEqual([]);
    expect(mirror.log.filter((line) => line.includes("openss"))).toEqual([]);

    // That lock is enough for production, and a development image adds to it without touching what is there.
    await shop.emptyCache();
    await workspace.build([...fetchAll, "--prod", "--frozen"]);
    const before = await shop.lockText();
    await workspace.build(fetchAll);
    const lines = before.split("\n").map((line) => line.replace(/,$/, ""));
    const after = (await shop.lockText()).split("\n").map((line) => line.replace(/,$/, ""));
    expect(after.filter((line) => !lines.includes(line)).map((line) => line.trim().split('"')[1])).toEqual([
      "openssh.tcz",
      "openssl.tcz",
    ]);
    expect(lines.filter((line) => !after.includes(line))).toEqual([]);
  });

  it("made in development is enough for production, and neither makes the other run again", async () => {
    const { workspace, mirror } = shop;
    // In development openssl comes with openssh, and is builtin; in production it is the mirror's alone.
    await mirror.stock({
      ...extensions,
      glib2: { deps: ["openssl"] },
      openssh: { deps: ["openssl", "nano"] },
    });
    await workspace.build(fetchAll);
    const lock = await shop.lockText();
    await workspace.build([...fetchAll, "--prod", "--frozen"]);
    expect(await shop.lockText()).toBe(lock);

    await rm(workspace.path(lockName));
    await shop.emptyCache();
    await workspace.build([...fetchAll, "--prod"]);
    await workspace.build(fetchAll);
    expect(await shop.lockText()).toBe(lock);
    expect(rebuilt(await workspace.build([...fetchAll, "--prod"]))).toEqual([]);
    expect(rebuilt(await workspace.build(fetchAll))).toEqual([]);

    // What production does use is no less looked at.
    await writeFile(
      workspace.path(lockName),
      lock.replace(/("openssl\.tcz": \{.*"md5":")./, "$1".concat("0")),
    );
    expect((await workspace.build(["why", "fetch-tcz", "--prod"])).stdout).toContain("openssl.tcz changed");
  });

  it("asks only for new names after a list was edited by hand", async () => {
    const { workspace, mirror } = shop;
    await workspace.build(fetchAll);
    mirror.forget();
    await shop.writeList("builtin-extensions.lst", "# editors\r\nnano.tcz  \nbash.tcz\nscsi-KERNEL.tcz\n");
    await workspace.build(fetchAll);
    const asked = mirror.log.filter((line) => !/\.(db\.gz|gz) /.test(line) && !line.includes("sizelist"));
    expect(asked).toEqual([`GET ${shelf}/nano.tcz 200`]);
    await shop.writeList("gem.list", "daemons\nstomp = 1.2.8\n");
    mirror.forget();
    await workspace.build(fetchAll);
    expect(mirror.log).toEqual([]);
  });

  it("puts no download into an image that was damaged in the store, and downloads it anew", async () => {
    const { workspace, mirror } = shop;
    await workspace.build(fetchAll);
    const blob = await shop.blobOf("dev/fetch-tcz/builtin/optional/bash.tcz");
    const bytes = await readFile(blob);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await chmod(blob, 0o644);
    await writeFile(blob, bytes);
    mirror.forget();

    const damaged = await workspace.task(["fetch-tcz", "--force"]);
    expect(damaged.status).toBe(1);
    expect(damaged.stderr).toContain("a downloaded file in the cache was damaged");
    expect(mirror.log).toEqual([]);
    await workspace.build(["fetch-tcz", "--force"]);
    expect(mirror.log.map((line) => line.split(" ")[1])).toEqual([`${shelf}/bash.tcz`]);
    expect((await readFile(blob)).equals(bytes)).toBe(false);
  });

  it("downloads only what was missing after the mirror has recovered", async () => {
    const { workspace, mirror } = shop;
    mirror.fail(`${shelf}/openssl.tcz`, 403);
    const failed = await workspace.task([...fetchAll, "-k"]);
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain("openssl.tcz");
    expect(failed.stderr).not.toContain("    at ");
    const got = mirror.log.filter((line) => line.endsWith(".tcz 200")).map((line) => line.split(" ")[1]);
    mirror.recover();
    mirror.forget();
    await workspace.build(fetchAll);
    const later = mirror.log.filter((line) => line.endsWith(".tcz 200")).map((line) => line.split(" ")[1]);
    expect(later).toContain(`${shelf}/openssl.tcz`);
    // Those that were on their way when the other failed may have been given up; none that had arrived comes again.
    const locked = (await shop.locked()).filter((name) => name.endsWith(".tcz"));
    expect([...got, ...later].length).toBeGreaterThanOrEqual(locked.length);
    expect(mirror.log.filter((line) => line.includes("Core-current.iso"))).toEqual([]);
    expect(mirror.log.filter((line) => line.includes(".gem"))).toEqual([]);
  });
});

describe("watch mode", () => {
  it("downloads what is added to a list, and only that", async () => {
    const { workspace, mirror } = shop;
    const words = ["bin/task.js", "fetch-gems", "--watch", "--json"];
    const child = spawn(process.execPath, words, {
      cwd: workspace.root,
      env: { ...commandEnvironment() },
      stdio: ["ignore", "pipe", "ignore"],
    });
    try {
      const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
      const cycle = async (): Promise<unknown> => {
        for (;;) {
          const { value, done } = await lines.next();
          if (done === true) throw new Error("the watch ended");
          const event = JSON.parse(value) as { readonly type: string };
          if (event.type === "cycle-finished") return event;
        }
      };
      expect(await cycle()).toMatchObject({ outcome: "succeeded" });
      await mirror.offerGems({ daemons: ["1.1.9"], stomp: ["1.2.8"], facter: ["1.6.10"] });
      mirror.forget();
      await shop.writeList("gem.list", "daemons\nstomp\nfacter\n");
      expect(await cycle()).toMatchObject({ outcome: "succeeded", changes: ["lists/gem.list"] });
      expect(mirror.log.filter((line) => line.includes(".gem "))).toEqual([
        "GET /gems/gems/facter-1.6.10.gem 200",
      ]);
    } finally {
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "close");
    }
  });
});

describe("progress", () => {
  it("is told for every artifact as JSON; a log has no lines for small ones", async () => {
    const { workspace } = shop;
    const plain = await workspace.build(["fetch-gems"]);
    expect(plain.stderr).toContain("fetch-gems: rebuilt");
    expect(plain.stderr).not.toContain("daemons-1.1.9.gem");
    await shop.emptyCache();
    const json = await workspace.build(["fetch-gems", "--json"]);
    const events = json.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const progress = events.filter((event) => event.type === "task-progress");
    expect(progress.map((event) => event.progress)).toContainEqual(
      expect.objectContaining({ item: "stomp-1.2.8.gem", done: 3072, total: 3072, unit: "bytes" }),
    );
  });
});

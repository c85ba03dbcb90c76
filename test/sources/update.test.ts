/** What a user relies on: pins move when they ask for it, and they are told what moved. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { kernelRelease, shelf } from "./mirror.ts";
import { ci, extensions, fetchAll, lockName, rebuilt, useWorkshop } from "./workshop.ts";

const shop = useWorkshop();

describe("task update", () => {
  it("asks with the pins' validators, downloads nothing that is the same, and leaves the lock as it was", async () => {
    const { workspace, mirror } = shop;
    await workspace.build(fetchAll);
    const lock = await shop.lockText();
    mirror.forget();
    const result = await workspace.build(["update"]);
    expect(result.stdout).toBe("17 unchanged\n");
    const files = mirror.log.filter((line) => /\.(tcz|gem|tgz|iso) /.test(line));
    expect(files).toHaveLength(13);
    expect(files.filter((line) => !line.endsWith(" 304"))).toEqual([]);
    expect(await shop.lockText()).toBe(lock);
    mirror.forget();
    expect(rebuilt(await workspace.build(fetchAll))).toEqual([]);
    expect(mirror.log).toEqual([]);
  });

  it("pins what upstream has now, says what changed and who wants it, and drops what nobody wants", async () => {
    const { workspace, mirror } = shop;
    await workspace.build(fetchAll);
    await mirror.stock({ ...extensions, bash: { deps: ["ncurses", "readline"], salt: "new" } });
    await mirror.offerGems({ daemons: ["1.1.8", "1.1.9", "1.2.0"], stomp: ["1.2.8"] });
    await shop.writeList("mirror-extensions.lst", "");

    // Until they are asked for, new releases are nobody's business.
    await workspace.build(["fetch-gems"]);
    expect(await shop.locked()).toContain("daemons-1.1.9.gem");

    const { stdout } = await workspace.build(["update"]);
    expect(stdout).toMatch(
      /^bash\.tcz: sha256 \w{12}… → \w{12}…, 3,004 bytes \(lists\/builtin-extensions\.lst:1\)$/m,
    );
    expect(stdout).toMatch(
      /^readline\.tcz: new, 3,004 bytes \(lists\/builtin-extensions\.lst:1 → bash\.tcz\)$/m,
    );
    expect(stdout).toMatch(/^daemons: 1\.1\.9 → 1\.2\.0, 3,072 bytes \(lists\/gem\.list:1\)$/m);
    expect(stdout).toMatch(/^glib2\.tcz: no longer used$/m);
    expect(stdout).toMatch(/^\d+ unchanged$/m);
    const locked = await shop.locked();
    expect(locked).toContain("daemons-1.2.0.gem");
    expect(locked).not.toContain("daemons-1.1.9.gem");
    expect(locked).not.toContain("libffi.tcz");

    // What it brought is in the store: the build that follows downloads nothing.
    mirror.forget();
    await workspace.build(fetchAll, { env: ci });
    expect(mirror.log).toEqual([]);
    const out = workspace.path(".buildcache/v1/out/dev/fetch-tcz/builtin/onboot.lst");
    expect((await readFile(out, "utf8")).split("\n").slice(0, 3)).toEqual([
      "ncurses.tcz",
      "readline.tcz",
      "bash.tcz",
    ]);
  });

  it("of a name touches nothing else", async () => {
    const { workspace, mirror } = shop;
    await workspace.build(fetchAll);
    const before = (await shop.lockText()).split("\n");
    await mirror.stock({ ...extensions, bash: { deps: ["ncurses"], salt: "new" }, glib2: { salt: "new" } });
    await mirror.offerGems({ daemons: ["2.0"], stomp: ["9.9"] });
    mirror.forget();
    const { stdout } = await workspace.build(["update", "bash", "stomp"]);
    expect(stdout).toContain("bash.tcz: sha256");
    expect(stdout).toContain("stomp: 1.2.8 → 9.9");
    expect(stdout).not.toContain("glib2");
    expect(stdout).not.toContain("daemons");
    const after = (await shop.lockText()).split("\n");
    const moved = after.filter((line) => !before.includes(line)).map((line) => line.trim().split('"')[1]);
    expect(moved).toEqual(["bash.tcz", "stomp-9.9.gem"]);
    expect(mirror.log.filter((line) => line.includes("Core-current.iso"))).toEqual([]);
    expect(mirror.log).toContain(`GET ${shelf}/bash.tcz 200`);
  });

  it("also takes a new Core ISO, when that is what is meant", async () => {
    const { workspace, mirror } = shop;
    await workspace.build(fetchAll);
    const iso = "4.x/x86/release/Core-current.iso";
    const old = await readFile(`${shop.directory}/mirror root/${iso}`);
    try {
      const bytes = Buffer.concat([old, Buffer.alloc(2048)]);
      await mirror.put(iso, bytes);
      await rm(`${shop.directory}/mirror root/${iso}.md5.txt`);
      const { stdout } = await workspace.build(["update", "Core-current.iso"]);
      expect(stdout).toMatch(/^Core-current\.iso: sha256/);
      const build = await workspace.build(["fetch-tcz"]);
      expect(build.stderr).toContain("lists/sources.lock.json changed: Core-current.iso changed");
      // Its kernel is the same one, and so is all that depends on it.
      expect(await shop.locked()).toContain(`scsi-${kernelRelease}.tcz`);
    } finally {
      await mirror.put(iso, old);
    }
  });

  it("works where CI freezes the lock, not offline, and knows no name that means nothing", async () => {
    const { workspace, mirror } = shop;
    await workspace.build(fetchAll);
    expect((await workspace.task(["update"], { env: ci })).status).toBe(0);
    const lock = await shop.lockText();
    mirror.forget();
    const offline = await workspace.task(["update", "--offline"]);
    expect(offline.status).toBe(2);
    expect(offline.stderr).toContain("--offline");
    expect(mirror.log).toEqual([]);
    const unknown = await workspace.task(["update", "bahs"]);
    expect(unknown.status).toBe(1);
    expect(unknown.stderr).toContain('"bahs" is neither in the lists');
    expect(unknown.stderr).toContain("bash.tcz");
    expect(await shop.lockText()).toBe(lock);
  });

  it("that fails leaves the lock as it was", async () => {
    const { workspace, mirror } = shop;
    await workspace.build(fetchAll);
    const lock = await shop.lockText();
    await mirror.stock({ ...extensions, bash: { deps: ["ncurses"], salt: "new" } });
    mirror.fail(`${shelf}/ncurses.tcz`, 403);
    const failed = await workspace.task(["update"]);
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain("ncurses.tcz");
    expect(await shop.lockText()).toBe(lock);
  });

  it("pins everything where there is no lock, and leaves other sources' pins alone", async () => {
    const { workspace, mirror } = shop;
    await workspace.build(["fetch-iso", "--source", mirror.url]);
    const { stdout } = await workspace.build(["update"]);
    expect(stdout).toContain("Core-current.iso: new");
    expect(await shop.locked(`${mirror.url}/`)).toEqual(["Core-current.iso"]);
    expect(await shop.locked()).toContain("util-linux.tcz");
    mirror.forget();
    await workspace.build([...fetchAll, "--frozen"]);
    expect(mirror.log).toEqual([]);
    await writeFile(workspace.path(lockName), "{}");
    const broken = await workspace.task(["update"]);
    expect(broken.status).toBe(1);
    expect(broken.stderr).toContain("sources.lock.json:1");
  });

  it("does nothing on a dry run, and tells programs in JSON what it did", async () => {
    const { workspace, mirror } = shop;
    const dry = await workspace.build(["update", "--dry-run"]);
    expect(dry.stdout).toContain("update: would run");
    expect(mirror.log).toEqual([]);
    const { stdout } = await workspace.build(["update", "--json"]);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events).toContainEqual(
      expect.objectContaining({ type: "result", text: expect.stringMatching(/^bash\.tcz: new/) }),
    );
    const items = events.filter(({ task }) => task === "update").map(({ progress }) => progress);
    expect(items).toContainEqual({ item: "bash.tcz", done: 3004, total: 3004, unit: "bytes" });
  });

  it("says of the sample source that it follows apt", async () => {
    const { stdout } = await shop.workspace.build(["update", "--source", "sample"]);
    expect(stdout).toContain("apt-get update");
  });
});

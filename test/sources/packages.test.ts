/** What a user relies on: a package of the distribution in a list becomes an extension of the image. */
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { commandEnvironment } from "../pipeline/workspace.ts";
import { usesPrograms } from "../support/programs.ts";
import { type Apt, openApt, type PackageText } from "./apt.ts";
import { rebuilt, useWorkshop } from "./workshop.ts";

usesPrograms("unsquashfs");

const shop = useWorkshop();
let apt: Apt;

const hello: PackageText = {
  name: "hello",
  version: "2:2.10-3",
  depends: "libc6 (>= 2.14), libhello | libhello-ng",
  postinst: "#!/bin/sh\necho $1 > /tmp/hello-was-configured\n",
  files: {
    "usr/bin/hello": "#!/bin/sh\necho hello\n",
    "usr/bin/hi": "-> hello",
    "usr/bin/su-hello": "set-id",
    "etc/hello.conf": "greeting\n",
    "usr/share/doc/hello/copyright": "free",
    "usr/share/man/man1/hello.1": "manual",
    "usr/share/menu/hello": "menu",
    "usr/share/lintian/overrides/hello": "lintian",
    "usr/share/hello/data": "data",
  },
  modes: { "usr/bin/su-hello": 0o4755, "etc/hello.conf": 0o640 },
};
const library: PackageText = { name: "libhello", files: { "usr/lib/libhello.so.1": "library" } };

const env = (more: Readonly<Record<string, string>> = {}) => ({
  env: commandEnvironment({ ...apt.env, ...more }),
});
const made = (name: string): string =>
  shop.workspace.path(`.buildcache/v1/out/dev/fetch-tcz/builtin/${name}`);

beforeAll(async () => {
  apt = await openApt(shop.workspace.$, path.join(shop.directory, "apt root"));
});

beforeEach(async () => {
  await apt.offer(hello, library);
  await shop.writeList("builtin-extensions.lst", "bash.tcz\nlibhello.deb\nhello.deb # says hello\n");
});

describe("a package in a list", () => {
  it("is fetched by apt, pinned, and made into an extension without documents", async () => {
    const { workspace } = shop;
    const { stderr } = await workspace.build(["fetch-tcz"], env());
    expect(stderr).toContain("hello.deb: runs without set-id bits: usr/bin/su-hello");
    expect(await readFile(made("onboot.lst"), "utf8")).toBe(
      "ncurses.tcz\nbash.tcz\nlibhello.tcz\nhello.tcz\n",
    );
    const tcz = made("optional/hello.tcz");
    const listing = (await workspace.$`unsquashfs -lls -d "" ${tcz}`).stdout;
    const entries = listing
      .split("\n")
      .flatMap((line) => {
        const [, mode, owner, name] = /^(\S{10}) (\S+)\s+\d+ \S+ \S+ (.+)$/.exec(line) ?? [];
        return name === undefined || mode?.startsWith("d") === true ? [] : [`${mode} ${owner} ${name}`];
      })
      .sort();
    expect(entries).toEqual(
      [
        "-rw-r----- root/root /etc/hello.conf",
        "-rwxr-xr-x root/root /usr/bin/hello",
        "lrwxrwxrwx root/root /usr/bin/hi -> hello",
        "-rwxr-xr-x root/root /usr/bin/su-hello",
        "-rw-r--r-- root/root /usr/share/hello/data",
        "-rwxrwxr-x root/staff /usr/local/tce.installed/hello",
        "-rwxr-xr-x root/root /usr/local/postinst/hello",
      ].sort(),
    );
    expect(listing).not.toContain("usr/share/doc");
    expect((await workspace.$`unsquashfs -cat ${tcz} usr/local/postinst/hello`).stdout).toBe(hello.postinst);
    expect((await workspace.$`unsquashfs -cat ${tcz} usr/local/tce.installed/hello`).stdout).toContain(
      "/usr/local/postinst/hello configure",
    );
    // What stands beside it is what a mirror would have.
    await workspace.$({ cwd: made("optional") })`md5sum -c hello.tcz.md5.txt`;
    expect(await readFile(made("optional/hello.tcz.dep"), "utf8")).toBe("libhello.tcz\n");
    expect(await readdir(made("optional"))).not.toContain("libhello.tcz.dep");

    const lock = JSON.parse(await shop.lockText()) as {
      sources: { tinycore: Record<string, Record<string, unknown>> };
    };
    const pin = lock.sources.tinycore["hello.deb"];
    expect(pin?.version).toBe("2:2.10-3");
    expect(pin?.sha256).toMatch(/^[0-9a-f]{64}$/);

    // The same package makes the same extension.
    const before = await readFile(tcz);
    await workspace.build(["fetch-tcz", "--force", "convert-debs"], env());
    expect((await readFile(tcz)).equals(before)).toBe(true);
  });

  it("that is pinned stays as it is when apt has a newer one, until an update is asked for", async () => {
    const { workspace } = shop;
    await workspace.build(["fetch-tcz"], env());
    await apt.offer({ ...hello, version: "2:2.12-1" }, library);
    expect(rebuilt(await workspace.build(["fetch-tcz"], env()))).toEqual([]);
    await workspace.build(["fetch-tcz", "--force", "convert-debs", "--offline"], env());
    const { stdout } = await workspace.build(["update", "hello.deb"], env());
    expect(stdout).toMatch(/^hello\.deb: 2:2\.10-3 → 2:2\.12-1, .* \(lists\/builtin-extensions\.lst:3\)\n$/);
    const result = await workspace.build(["fetch-tcz"], env());
    expect(result.stderr).toContain("lists/sources.lock.json changed: hello.deb changed");
  });

  it("that is pinned and gone from apt and store is an error that shows both versions", async () => {
    const { workspace } = shop;
    await workspace.build(["fetch-tcz"], env());
    await apt.offer({ ...hello, version: "2:2.12-1" }, library);
    await shop.emptyCache();
    const result = await workspace.task(["fetch-tcz"], env());
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("hello.deb is pinned at 2:2.10-3");
    expect(result.stderr).toContain("2:2.12-1");
    expect(result.stderr).toContain("npx task update hello.deb");
  });

  it("that is not pinned is refused where the lock is frozen, all of them at once", async () => {
    const result = await shop.workspace.task(["convert-debs", "-k"], env());
    expect(result.status).toBe(0);
    await shop.writeList("builtin-extensions.lst", "hello.deb\nlibhello.deb\nother.deb\nmore.deb\n");
    const frozen = await shop.workspace.task(["convert-debs", "--frozen"], env());
    expect(frozen.status).toBe(1);
    expect(frozen.stderr).toContain("other.deb (lists/builtin-extensions.lst:3)");
    expect(frozen.stderr).toContain("more.deb (lists/builtin-extensions.lst:4)");
    const unknown = await shop.workspace.task(["convert-debs"], env());
    expect(unknown.stderr).toContain(
      "the distribution has no package other (lists/builtin-extensions.lst:3), " +
        "more (lists/builtin-extensions.lst:4)",
    );
  });

  it("of another architecture than the image's is refused", async () => {
    await apt.offer({ ...library, architecture: "amd64" });
    await shop.writeList("builtin-extensions.lst", "libhello.deb\n");
    const result = await shop.workspace.task(["fetch-tcz"], env());
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("libhello is for amd64, but the Core ISO is for i386");
    expect(result.stderr).toContain("lists/builtin-extensions.lst:1");
  });

  it("needs apt and dpkg; a list without one needs neither", async () => {
    const { workspace, directory } = shop;
    const tools = path.join(directory, "few tools");
    await mkdir(tools, { recursive: true });
    for (const name of ["node", "sh", "bash", "git", "chmod", "xorriso"]) {
      const found = (await workspace.$`command -v ${name}`).stdout.trim();
      await symlink(name === "node" ? process.execPath : found, path.join(tools, name)).catch(() => {});
    }
    const few = { env: { ...commandEnvironment(), PATH: tools } };
    const refused = await workspace.task(["fetch-tcz"], few);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain(
      'required programs are not installed: "apt-cache", "apt-get", "dpkg-deb", "mksquashfs"',
    );
    await writeFile(workspace.path("lists/builtin-extensions.lst"), "bash.tcz\n# hello.deb\n");
    expect((await workspace.task(["fetch-tcz"], few)).status).toBe(0);
  });

  it("is not a file's name with a version, and none that would be another option", async () => {
    await shop.writeList("builtin-extensions.lst", "bash.tcz\nhello_2.10-3_amd64.deb\n");
    const result = await shop.workspace.task(["fetch-tcz"], env());
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("lists/builtin-extensions.lst:2");
    expect(result.stderr).toContain("hello.deb");
  });
});

describe("what a listed package depends on", () => {
  const line = "lists/builtin-extensions.lst:1";
  const deep: PackageText = {
    name: "libdeep",
    provides: "deep-api",
    files: { "usr/lib/libdeep.so.1": "deep" },
  };
  const needing = { ...library, depends: "deep-api, libc6, gcc-12-base" };

  beforeEach(async () => {
    await apt.offer(hello, needing, deep);
    await shop.writeList("builtin-extensions.lst", "hello.deb\n");
  });

  it("is taken along where apt offers it, pinned, and loaded before it; then apt is asked for nothing", async () => {
    const { workspace } = shop;
    const { stderr } = await workspace.build(["fetch-tcz"], env());
    expect(stderr).toContain(
      `${line}: hello.deb: the image also gets its dependencies libhello.deb, libdeep.deb\n`,
    );
    expect(await readFile(made("onboot.lst"), "utf8")).toBe("libdeep.tcz\nlibhello.tcz\nhello.tcz\n");
    expect(await readFile(made("optional/libhello.tcz.dep"), "utf8")).toBe("libdeep.tcz\n");
    expect(await readFile(made("optional/hello.tcz.dep"), "utf8")).toBe("libhello.tcz\n");
    expect(await shop.locked()).toEqual(expect.arrayContaining(["hello.deb", "libhello.deb", "libdeep.deb"]));

    const lock = await shop.lockText();
    await apt.offer();
    await workspace.build(["fetch-tcz", "--force", "convert-debs", "--offline"], env());
    expect(await readFile(made("onboot.lst"), "utf8")).toBe("libdeep.tcz\nlibhello.tcz\nhello.tcz\n");
    expect(await shop.lockText()).toBe(lock);
  });

  it("is updated with all others, and dropped with what needs it", async () => {
    const { workspace } = shop;
    await workspace.build(["fetch-tcz"], env());
    await apt.offer(hello, { ...library, version: "1.1-1" }, deep);
    const { stdout } = await workspace.build(["update"], env());
    expect(stdout).toMatch(
      /^libhello\.deb: 1\.0-1 → 1\.1-1, .* \(lists\/builtin-extensions\.lst:1 → hello\.deb\)$/m,
    );
    const locked = await shop.locked();
    expect(locked).toContain("libhello.deb");
    expect(locked).not.toContain("libdeep.deb");
  });

  it("is refused where the lock is frozen, with the way to it", async () => {
    await apt.offer({ ...hello, depends: "libc6" });
    await shop.workspace.build(["convert-debs"], env());
    await apt.offer({ ...hello, version: "2:2.12-1" }, library);
    await shop.workspace.build(["update", "hello.deb"], env());
    const frozen = await shop.workspace.task(["convert-debs", "--frozen"], env());
    expect(frozen.status).toBe(1);
    expect(frozen.stderr).toContain(`libhello.deb (${line} → hello.deb) is not in the lock, which is frozen`);
  });

  it("is named where apt has none for the image's architecture; the build goes on", async () => {
    await apt.offer(hello, { ...library, architecture: "amd64" });
    const { stderr } = await shop.workspace.build(["fetch-tcz"], env());
    expect(stderr).toContain(
      `${line}: hello.deb depends on libhello or libhello-ng: neither the image nor the lists have it`,
    );
    expect(await readFile(made("onboot.lst"), "utf8")).toBe("hello.tcz\n");
  });
});

it("what of a package does nothing in an image is named with the list's line", async () => {
  const odd: PackageText = {
    ...library,
    postinst: "#!/bin/sh\nupdate-alternatives --install /usr/lib/a a /usr/lib/b 1\n",
    control: {
      preinst: "#!/bin/sh\n",
      conffiles: "/etc/odd.conf\n",
      triggers: "interest /usr/share/icons\nactivate-noawait ldconfig\n",
    },
    files: { "etc/odd.conf": "odd" },
  };
  await apt.offer(odd);
  await shop.writeList("builtin-extensions.lst", "libhello.deb\n");
  const { stderr } = await shop.workspace.build(["fetch-tcz"], env());
  expect(stderr).toContain(
    "lists/builtin-extensions.lst:1: libhello.deb: its preinst does not run; " +
      "its postinst uses sh, update-alternatives, which neither Core nor the listed packages have; " +
      "its configuration files are read-only in a running image: etc/odd.conf; " +
      "its triggers do nothing: interest /usr/share/icons\n",
  );
});

it("a package that apt cannot download is named with the list's line", async () => {
  await shop.writeList("builtin-extensions.lst", "bash.tcz\nlibhello.deb\n");
  await rm(path.join(shop.directory, "apt root/debs/libhello_1.0-1_all.deb"));
  const result = await shop.workspace.task(["fetch-tcz"], env());
  expect(result.status).toBe(1);
  expect(result.stderr).toContain("apt-get could not download packages");
  expect(result.stderr).toContain("lists/builtin-extensions.lst:2: libhello.deb");
});

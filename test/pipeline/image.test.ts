/** What an image holds, path by path, for each variant. */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type FileTree, streamContent, type TreeNode, treeFromTarball } from "../../src/formats/index.ts";
import { usesPrograms } from "../support/programs.ts";
import { refusalsOfRazor } from "../support/razor-iso-check.ts";
import { type Image, likeCpio, listByCpio, listTree, maskVersions, readImage } from "./image.ts";
import {
  epoch,
  makeDirectory,
  openWorkspace,
  removeDirectory,
  version,
  type Workspace,
} from "./workspace.ts";

usesPrograms("xorriso");

const variants = ["dev", "prod", "debug"] as const;
type Variant = (typeof variants)[number];

interface Made {
  readonly iso: string;
  readonly image: Image;
  readonly bundle: FileTree;
  readonly overlay: FileTree;
  readonly openVmTools: FileTree;
}

/** The sha256 of a file's first bytes. */
async function digestOfStart(file: string, size: number): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file, { end: size - 1 }), hash);
  return hash.digest("hex");
}

describe("an image", () => {
  let workspace: Workspace;
  let directory = "";
  const made = new Map<Variant, Made>();

  beforeAll(async () => {
    workspace = await openWorkspace();
    directory = await makeDirectory("image");
    for (const variant of variants) {
      await workspace.build(["iso", "bundle", "--source", "sample", `--${variant}`]);
      const iso = workspace.path(`build-files/rz_mk_${variant}-image.${version}.iso`);
      const at = path.join(directory, variant);
      const image = await readImage(workspace.$, iso, at);
      const bundle = await treeFromTarball(
        workspace.path(`build-files/razor-microkernel-bundle-${variant}.tar.gz`),
        path.join(at, "bundle"),
      );
      const inner = async (name: string): Promise<FileTree> => {
        const tarball = path.join(at, name);
        await pipeline(
          streamContent(bundle.file(`dependencies/${name}`).content),
          createWriteStream(tarball),
        );
        return treeFromTarball(tarball, `${tarball} spool`, { links: "image" });
      };
      const overlay = await inner("razor-microkernel-overlay.tar.gz");
      const openVmTools = await inner("mk-open-vm-tools.tar.gz");
      made.set(variant, { iso, image, bundle, overlay, openVmTools });
    }
  });

  afterAll(() => removeDirectory(directory));

  function of(variant: Variant): Made {
    const found = made.get(variant);
    if (found === undefined) throw new Error(`${variant} was not built`);
    return found;
  }

  function node(tree: FileTree, name: string): TreeNode {
    const found = tree.get(name);
    if (found === undefined) throw new Error(`there is no ${name}`);
    return found;
  }

  async function text(tree: FileTree, name: string): Promise<string> {
    return (await tree.read(name)).toString("latin1");
  }

  function names(tree: FileTree, pattern: RegExp): readonly string[] {
    return tree.paths().filter((name) => pattern.test(name));
  }

  describe("packed as small as it gets", () => {
    let small: Image;

    beforeAll(async () => {
      const iso = ["iso", "--source", "sample", "--prod"];
      await workspace.build([...iso, "--compress", "best"]);
      small = await readImage(workspace.$, of("prod").iso, path.join(directory, "small"));
      await workspace.build(iso);
    });

    it("holds what it holds otherwise, and Core's own archive byte for byte", async () => {
      const { image } = of("prod");
      expect(await small.tree.digest()).toBe(await image.tree.digest());
      const core = image.members[0]?.size ?? 0;
      expect(small.members[0]?.size).toBe(core);
      expect(await digestOfStart(small.initrd, core)).toBe(await digestOfStart(image.initrd, core));
    });

    it("leaves no room for edits, and is compressed throughout", async () => {
      const { size } = await stat(small.initrd);
      const last = small.members.at(-1);
      expect(size - (last?.offset ?? 0) - (last?.size ?? 0)).toBeLessThan(2 * 2048);
      for (const member of small.members) expect(member.compression).toBe("gzip");
      expect(size).toBeLessThan((await stat(of("prod").image.initrd)).size);
    });
  });

  describe.each(variants)("of the %s variant", (variant) => {
    it("reads the same through cpio as through our own reader, member by member", async () => {
      const { image } = of(variant);
      let end = 0;
      for (const member of image.members) {
        // Plain archives begin at multiples of four.
        expect(member.offset - end).toBeLessThan(4);
        expect(member.offset).toBeGreaterThanOrEqual(end);
        if (member.compression === "none") expect(member.offset % 4).toBe(0);
        end = member.offset + member.size;
        const own = new Map([...member.tree].map(([name, one]) => [name, likeCpio(one)]));
        expect(await listByCpio(workspace.$, image.initrd, member)).toEqual(own);
      }
      // Core's, one for each extension, gems, extras and so on, setup files, the overlay, the version.
      expect(image.members.length).toBeGreaterThan(8);
      const { size } = await stat(image.initrd);
      expect(size - end).toBeLessThan(2 * 32 * 1024);
      expect(size % 2048).toBe(0);
    });

    it("begins with Core's initrd, byte for byte", async () => {
      const { image } = of(variant);
      const [core] = image.members;
      const { bundle } = of(variant);
      const iso = bundle.file("Core-current.iso").content;
      if (iso.kind !== "file" || core === undefined) throw new Error("the bundle has no Core ISO");
      const spooled = path.join(directory, variant, "core.iso");
      await workspace.$`sh -c ${`tail -c +${iso.offset + 1} "$1" | head -c ${iso.size} >"$2"`} sh ${iso.path} ${spooled}`;
      const upstream = await readImage(workspace.$, spooled, path.join(directory, variant, "core"));
      expect(await digestOfStart(image.initrd, core.size)).toBe(
        await digestOfStart(upstream.initrd, core.size),
      );
      expect(core.size).toBe((await readFile(upstream.initrd)).length);
    });

    it("has an ISO with boot files, licences and metadata that tell the truth", async () => {
      const { image, iso } = of(variant);
      const tops = image.entries.map((entry) => entry.path).filter((name) => !name.includes("/"));
      expect(tops).toEqual(["COPYING", "LICENSE", "boot", "iso-metadata.yaml"]);
      for (const entry of image.entries) {
        expect([entry.uid, entry.gid], entry.path).toEqual([0, 0]);
        if (entry.type === "directory") expect(entry.mode, entry.path).toBe(0o755);
        else expect([0o644, 0o444], entry.path).toContain(entry.mode);
      }
      const metadata = parse(await readFile(path.join(image.directory, "iso-metadata.yaml"), "utf8"));
      expect(metadata).toMatchObject({
        iso_version: version,
        kernel: "boot/vmlinuz64",
        initrd: "boot/corepure64.gz",
      });
      expect(refusalsOfRazor(path.basename(iso), image.directory, epoch)).toEqual([]);
    });

    it("names itself in the ISO's volume descriptor, and waits ten seconds in the boot menu", async () => {
      const { iso, image } = of(variant);
      const { stdout } = await workspace.$`xorriso -no_rc -indev ${iso} -pvd_info`;
      expect(stdout).toMatch(/^Volume Id {4}: Razor MK 0\.9\.3$/m);
      expect(stdout).toMatch(/^App Id {7}: Razor Microkernel$/m);
      expect(stdout).toMatch(/^System Id {4}: LINUX$/m);
      expect(stdout).not.toMatch(/xorriso|libisofs|root@/i);
      const menu = await readFile(path.join(image.directory, "boot/isolinux/isolinux.cfg"), "utf8");
      expect(menu).toMatch(/^timeout 100$/m);
    });

    it("has root's owners and the modes that each path must have, for every building user", async () => {
      const { tree } = of(variant).image;
      expect(node(tree, "tmp")).toMatchObject({ type: "directory", mode: 0o1777, uid: 0, gid: 0 });
      expect(node(tree, "etc/shadow")).toMatchObject({ mode: 0o600, uid: 0, gid: 0 });
      expect(node(tree, "usr/local/tce.installed")).toMatchObject({ mode: 0o775, uid: 0, gid: 50 });
      expect(node(tree, "root").mode).toBe(node(of(variant).image.members[0]?.tree ?? tree, "root").mode);
      for (const script of ["opt/bootsync.sh", "etc/init.d/dhcp.sh", "usr/local/bin/rz_mk_init.rb"]) {
        expect(node(tree, script), script).toMatchObject({ type: "file", mode: 0o755, uid: 0, gid: 0 });
      }
      for (const [name, one] of tree) {
        expect(one.uid, name).toBe(0);
        // Files of Core itself may belong to other groups; what we add is root's or staff's.
        if (one.gid !== 0)
          expect([name, one.gid]).toEqual([
            expect.stringMatching(/^(usr\/local\/tce\.installed|var|dev|home)\b/),
            one.gid,
          ]);
        if (one.type === "file") expect(one.mode & 0o022, `${name} may be written by others`).toBe(0);
      }
    });

    it("has what the Microkernel is made of, where it looks for it", async () => {
      const { tree } = of(variant).image;
      const onboot = (await text(tree, "tmp/builtin/onboot.lst")).trim().split("\n");
      for (const extension of onboot) {
        expect(tree.has(`tmp/builtin/optional/${extension}`), extension).toBe(true);
        const [md5, name] = (await text(tree, `tmp/builtin/optional/${extension}.md5.txt`)).split(/ {2}|\n/);
        expect(name).toBe(extension);
        const bytes = await tree.read(`tmp/builtin/optional/${extension}`);
        expect(createHash("md5").update(bytes).digest("hex"), extension).toBe(md5);
      }
      expect(names(tree, /^tmp\/builtin\/optional\/.*\.tcz$/)).toHaveLength(onboot.length);
      for (const name of ["fuse", "glib2", "libffi", "ncurses", "perl5", "procps"]) {
        for (const suffix of ["", ".md5.txt", ".info", ".list"]) {
          expect(tree.has(`tmp/tinycorelinux/14.x/x86_64/tcz/${name}.tcz${suffix}`), name + suffix).toBe(
            true,
          );
        }
      }
      for (const gem of ["daemons", "facter", "json_pure", "stomp"]) {
        expect(names(tree, new RegExp(`^opt/gems/${gem}-[0-9.]+\\.gem$`)), gem).toHaveLength(1);
      }
      expect(names(tree, /^opt\/rubygems-[0-9.]+\.tgz$/)).toHaveLength(1);
      const files = [
        ...["opt/gems/gem.list", "tmp/first_checkin.yaml", "tmp/mk_conf.yaml", "tmp/mk-version.yaml"],
        ...["tmp/tinycorelinux/tce-install-list.yaml", "tmp/tinycorelinux/kmod-install-list.yaml"],
        ...["usr/local/bin/lscpu", "usr/local/sbin/sfdisk"],
      ];
      for (const name of files)
        expect(node(tree, name), name).toMatchObject({ type: "file", uid: 0, gid: 0 });
      expect(parse(await text(tree, "tmp/mk-version.yaml"))).toEqual({ mk_version: version });
      const links = {
        "usr/sbin/dmidecode": "/usr/local/sbin/dmidecode",
        "usr/local/mcollective": expect.stringMatching(
          /^\/usr\/local\/tce\.installed\/mcollective-2\.[\d.]+$/,
        ),
        "usr/local/bin/mcollectived": "/usr/local/mcollective/bin/mcollectived",
      };
      for (const [name, target] of Object.entries(links)) expect(node(tree, name)).toMatchObject({ target });
    });

    it("has of util-linux nothing but lscpu and sfdisk", () => {
      const { image, openVmTools } = of(variant);
      const ours = /\/(mcollectived|rz_[a-z_]+\.rb|facter|hocon|thor|catstomp|stompcat)$/;
      const rest = names(image.tree, /^usr\/local\/s?bin\//).filter((name) => {
        return !ours.test(name) && !openVmTools.has(name) && image.members[0]?.tree.has(name) !== true;
      });
      expect(rest).toEqual(["usr/local/bin/lscpu", "usr/local/sbin/sfdisk"]);
    });

    it("carries each extension once, with all that it needs", async () => {
      const { tree } = of(variant).image;
      const builtin = names(tree, /^tmp\/builtin\/optional\/.*\.tcz$/).map((name) =>
        path.posix.basename(name),
      );
      for (const name of builtin) {
        const dep = `tmp/builtin/optional/${name}.dep`;
        if (!tree.has(dep)) continue;
        for (const needed of (await text(tree, dep)).trim().split("\n"))
          expect(builtin, dep).toContain(needed);
      }
    });

    it("is listed path by path as it was reviewed", async () => {
      const { image, bundle, overlay, openVmTools } = of(variant);
      const release = names(image.tree, /^lib\/modules\/[^/]+$/)[0]?.slice("lib/modules/".length) ?? "";
      // What comes of the distribution as it is differs from one distribution to the next: its own name stands for it.
      const listings = {
        bundle: listTree(bundle),
        overlay: listTree(overlay).filter(isOurs),
        image: listTree(image.tree).filter((line) => {
          const name = line.split(" ")[0] ?? "";
          return isOurs(line) && (!openVmTools.has(name) || openVmTools.get(name)?.type === "directory");
        }),
      };
      // Debug differs from dev in the contents of files, not in paths, owners or modes.
      const reviewed = variant === "debug" ? "dev" : variant;
      for (const [what, lines] of Object.entries(listings)) {
        // MCollective's library is its own affair.
        const ours = lines.filter((line) => !/\/mcollective-[^/ ]+\/lib\/./.test(line));
        const listing = `${ours.map((line) => maskVersions(line, release)).join("\n")}\n`;
        await expect(listing).toMatchFileSnapshot(`golden/${reviewed}-${what}.txt`);
      }
    });
  });

  describe("of the dev and debug variants", () => {
    it.each(["dev", "debug"] as const)("lets tc in by password and ssh: %s", async (variant) => {
      const { tree } = of(variant).image;
      expect(await text(tree, "etc/shadow")).toMatch(/^tc:\$6\$[^:$]+\$[^:]{86}:/m);
      expect(names(tree, /^tmp\/builtin\/optional\/openssh\.tcz$/)).toHaveLength(1);
      for (const type of ["ecdsa", "ed25519", "rsa"]) {
        const key = `usr/local/etc/ssh/ssh_host_${type}_key`;
        expect(node(tree, key)).toMatchObject({ mode: 0o600, uid: 0, gid: 0 });
        expect(await text(tree, key)).toContain("PRIVATE KEY");
        expect(node(tree, `${key}.pub`)).toMatchObject({ mode: 0o644 });
      }
      expect(await text(tree, "usr/local/etc/ssh/sshd_config")).toMatch(/^PermitRootLogin no$/m);
      expect(of(variant).bundle.has("dependencies/ssh-setup-files.tar.gz")).toBe(true);
    });

    it("differ in the console and the log level only", async () => {
      const [dev, debug] = [of("dev").image.tree, of("debug").image.tree];
      expect(dev.paths()).toEqual(debug.paths());
      const changed: string[] = [];
      for (const [name, one] of dev) {
        if (one.type === "file" && (await dev.contentDigest(name)) !== (await debug.contentDigest(name)))
          changed.push(name);
      }
      expect(changed).toEqual(["etc/inittab", "tmp/mk_conf.yaml"]);
      expect(await text(dev, "etc/inittab")).toMatch(/^tty1::respawn:\/sbin\/getty 38400 tty1$/m);
      expect(await text(debug, "etc/inittab")).toMatch(/^tty1:.*-nl \/sbin\/autologin/m);
      expect(await text(dev, "tmp/mk_conf.yaml")).toMatch(/^mk_log_level: INFO$/m);
      expect(await text(debug, "tmp/mk_conf.yaml")).toMatch(/^mk_log_level: DEBUG$/m);
    });
  });

  describe("of the prod variant", () => {
    it("has no ssh, nor anything that only ssh needs", async () => {
      const { image, bundle, overlay } = of("prod");
      for (const tree of [image.tree, overlay]) {
        expect(names(tree, /openssh|(?<!facter\/.*)ssh_|sshd_/)).toEqual([]);
        expect(await text(tree, "tmp/builtin/onboot.lst")).not.toMatch(/ssh/);
      }
      expect(bundle.has("dependencies/ssh-setup-files.tar.gz")).toBe(false);
      // Every builtin extension is on the list itself or needed by one that is.
      const onboot = (await text(image.tree, "tmp/builtin/onboot.lst")).trim().split("\n");
      const needed = new Set(["bash.tcz", "dmidecode.tcz", "lshw.tcz", "ruby.tcz"]);
      for (const name of onboot) if (name.startsWith("scsi-")) needed.add(name);
      for (const name of needed) {
        const dep = `tmp/builtin/optional/${name}.dep`;
        if (image.tree.has(dep))
          for (const one of (await text(image.tree, dep)).trim().split("\n")) needed.add(one);
      }
      expect([...onboot].sort()).toEqual([...needed].sort());
      const dev = (await text(of("dev").image.tree, "tmp/builtin/onboot.lst")).trim().split("\n");
      expect(dev.length).toBeGreaterThan(onboot.length + 1);
    });

    it("holds no key, no password and no hash of one in any of its files", async () => {
      const { image, overlay, bundle } = of("prod");
      const secrets = /BEGIN [A-Z ]*PRIVATE KEY|\$[156y]\$[./0-9A-Za-z]{2}/;
      for (const tree of [image.tree, overlay, bundle]) {
        for (const [name, one] of tree) {
          if (one.type !== "file") continue;
          let tail = "";
          for await (const piece of tree.stream(name)) {
            const chunk = tail + Buffer.from(piece).toString("latin1");
            const found = secrets.exec(chunk);
            // A format string of the C library's crypt is no hash.
            if (found !== null && !isProgram(name)) throw new Error(`${name} holds ${found[0]}`);
            tail = chunk.slice(-64);
          }
        }
      }
      for (const line of (await text(image.tree, "etc/shadow")).trim().split("\n")) {
        expect(line.split(":")[1]).toMatch(/^[*!]/);
      }
      expect(await text(image.tree, "etc/shadow")).toMatch(/^tc:\*:/m);
      expect(await text(image.tree, "etc/passwd")).toMatch(/^tc:x:/m);
      expect(names(image.tree, /(^|\/)(authorized_keys|id_[a-z0-9]+)$/)).toEqual([]);
    });
  });
});

/** Compressed or compiled: such bytes may spell anything. */
function isProgram(name: string): boolean {
  return /(^|\/)(busybox|lib[^/]*\.so[^/]*|[^/]+\.(tcz|gem|tgz|gz|ko|iso))$/.test(name);
}

/** False for what the distribution's packages decide: libraries, kernel modules, busybox's commands, dependencies. */
function isOurs(line: string): boolean {
  if (/ -> \/bin\/busybox$/.test(line)) return false;
  if (/^(usr\/)?lib\/(modules\/[^ /]+\/|x86_64-linux-gnu\/)/.test(line)) return false;
  // Files of a gem: other releases of it have others.
  if (/^usr\/local\/lib\/ruby\/gems\/[^/]+\/gems\/[^/]+\//.test(line)) return false;
  const isExtension = /^tmp\/(builtin\/optional|tinycorelinux\/14\.x\/x86_64\/tcz)\//.test(line);
  return (
    !isExtension ||
    /\/(bash|dmidecode|lshw|ruby|scsi-[^ ]*|openssh|fuse|glib2|libffi|ncurses|perl5|procps)\.tcz/.test(line)
  );
}

/** Hostile files of a mirror: the real command refuses each by name, pins none, and touches no file of the host. */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { shelf } from "../sources/mirror.ts";
import { useWorkshop } from "../sources/workshop.ts";
import { makeCanary, secretText } from "./canary.ts";
import { gemBytes, gemSpecification } from "./gem-builder.ts";
import { packCoreIso } from "./iso-builder.ts";
import { squashfsBytes } from "./tcz-builder.ts";

const shop = useWorkshop();

/** Takes an extension's checksums off the mirror, as one without md5 has none. */
async function dropSums(name: string): Promise<void> {
  const root = path.join(shop.directory, "mirror root", shelf);
  for (const file of [`${name}.md5.txt`, "md5.db.gz", "sizelist.gz"])
    await rm(path.join(root, file), { force: true });
}

describe("an extension without checksum", () => {
  it("that is cut short is refused by name and not pinned, and taken when the mirror has it whole", async () => {
    const { workspace, mirror } = shop;
    const whole = squashfsBytes(Buffer.alloc(4000, "bash"));
    await mirror.put(`${shelf}/bash.tcz`, whole.subarray(0, 2000));
    await dropSums("bash.tcz");
    const refused = await workspace.task(["fetch-tcz"]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain("it is truncated: it has 2000 of 4096 bytes");
    expect(refused.stderr).toContain(`bash.tcz (${mirror.url}${shelf}/bash.tcz)`);
    expect(await shop.locked().catch(() => [])).not.toContain("bash.tcz");
    await mirror.put(`${shelf}/bash.tcz`, whole);
    await workspace.build(["fetch-tcz"]);
    expect(await shop.locked()).toContain("bash.tcz");
  });

  it("that the image's kernel cannot mount is taken with a note that says why", async () => {
    const { workspace, mirror } = shop;
    await mirror.put(`${shelf}/bash.tcz`, squashfsBytes("bash", { compression: 6 }));
    await dropSums("bash.tcz");
    const { stderr } = await workspace.build(["fetch-tcz"]);
    expect(stderr).toContain("bash.tcz is compressed with zstd, which Linux mounts since 4.14");
    expect(stderr.match(/is compressed with/g)).toHaveLength(1);
  });
});

describe("a tarball, for which nobody has a checksum", () => {
  it("that is cut short or altered is refused by name and not pinned, and taken when the mirror has it whole", async () => {
    const { workspace, mirror } = shop;
    const name = "mcollective-2.0.0.tgz";
    const whole = gzipSync(randomBytes(5000));
    const altered = Buffer.from(whole);
    altered.writeUInt8(altered.readUInt8(2500) ^ 1, 2500);
    for (const [bytes, said] of [
      [whole.subarray(0, 2500), "it is truncated"],
      [altered, "its content does not match its checksum"],
    ] as const) {
      await mirror.put(`extras/${name}`, bytes);
      const refused = await workspace.task(["fetch-extras"]);
      expect(refused.status).toBe(1);
      expect(refused.stderr).toContain(`${name} is damaged: ${said}`);
      expect(refused.stderr).toContain(`${name} (${mirror.url}/extras/${name})`);
      expect(await shop.locked().catch(() => [])).not.toContain(name);
    }
    await mirror.put(`extras/${name}`, whole);
    await workspace.build(["fetch-extras"]);
    expect(await shop.locked()).toContain(name);
  });
});

describe("a gem", () => {
  it("that is another one inside is refused by name and not pinned, though its checksum is right", async () => {
    const { workspace, mirror } = shop;
    const bytes = gemBytes(gemSpecification("evil", "9.9"));
    const sum = createHash("sha256").update(bytes).digest("hex");
    await mirror.put("gems/gems/stomp-1.2.8.gem", bytes);
    await mirror.put("gems/info/stomp", `---\n1.2.8 |checksum:${sum}\n`);
    const refused = await workspace.task(["fetch-gems"]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain(
      'stomp-1.2.8.gem is another gem: the name in its specification is "evil"',
    );
    expect(await shop.locked().catch(() => [])).not.toContain("stomp-1.2.8.gem");
  });
});

describe("a Core ISO", () => {
  it.each(["boot/isolinux/isolinux.cfg", "boot/vmlinuz", "boot/core.gz"])(
    "whose %s is a link to a file of the host is refused by name, and the file stays as it is",
    async (name) => {
      const { workspace, directory } = shop;
      const place = path.join(directory, name.replaceAll("/", " "));
      await mkdir(place, { recursive: true });
      const canary = await makeCanary(path.join(place, "host"));
      const before = await canary.look();
      const iso = path.join(place, "Core.iso");
      await packCoreIso(workspace.$, iso, async (root) => {
        await rm(`${root}/${name}`);
        await symlink(canary.secret, `${root}/${name}`);
      });
      for (const target of ["fetch-iso", "pxe"]) {
        const refused = await workspace.task([target, "--tcl-iso-url", iso]);
        expect(refused.status).toBe(1);
        expect(refused.stderr).toContain(`the ISO's ${name} is a link to`);
        expect(refused.stderr).not.toMatch(/^\s+at |a bug in razor-mk/m);
        expect(refused.stderr).not.toContain(secretText);
      }
      expect(await canary.look()).toEqual(before);
      const made = await readdir(workspace.path("build-files")).catch(() => []);
      expect(made.filter((one) => one.includes("pxe"))).toEqual([]);
    },
  );

  it("that is cut short is not pinned where nobody has its checksum, and taken when the mirror has it whole", async () => {
    const { workspace, mirror } = shop;
    const place = "4.x/x86/release/Core-current.iso";
    const root = path.join(shop.directory, "mirror root");
    const whole = await readFile(path.join(root, place));
    const sums = await readFile(path.join(root, `${place}.md5.txt`));
    await rm(path.join(root, `${place}.md5.txt`));
    // Behind the files is padding, which nobody would miss.
    await mirror.put(place, whole.subarray(0, 64 * 1024));
    const refused = await workspace.task(["fetch-iso"]);
    await mirror.put(place, whole);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/Core-current\.iso cannot be used: the ISO is damaged: \S+ is truncated/);
    expect(refused.stderr).toContain(`Core-current.iso (${mirror.url}/${place})`);
    expect(await shop.locked().catch(() => [])).not.toContain("Core-current.iso");
    await workspace.build(["fetch-iso"]);
    await mirror.put(`${place}.md5.txt`, sums);
    expect(await shop.locked()).toContain("Core-current.iso");
  });

  it("that is a pipe is refused by name, and nobody waits for it", async () => {
    const pipe = path.join(shop.directory, "pipe.iso");
    await shop.workspace.$`mkfifo ${pipe}`;
    const refused = await shop.workspace.task(["fetch-iso", "--tcl-iso-url", pipe]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain("pipe.iso is not a file");
  });

  it("without a boot menu, or with one of gigabytes, is refused by name", async () => {
    const { workspace, directory } = shop;
    for (const [what, change] of [
      ["no", "rm isolinux.cfg"],
      ["more than", "truncate -s 64M isolinux.cfg"],
    ] as const) {
      const iso = path.join(directory, `${what} menu.iso`);
      await packCoreIso(workspace.$, iso, async (root) => {
        await workspace.$({ cwd: `${root}/boot/isolinux` })`sh -c ${change}`;
      });
      const args = ["boot-loaders", "--tcl-iso-url", iso, "--firmware", "auto"];
      const refused = await workspace.task(args);
      expect(refused.status).toBe(1);
      expect(refused.stderr).toContain("boot/isolinux/isolinux.cfg");
      expect(refused.stderr).toContain(what);
      expect(refused.stderr).not.toContain("a bug in razor-mk");
    }
  });

  it("may have an initrd that unpacks to more than usual where the user says so", async () => {
    const { workspace, directory } = shop;
    const iso = path.join(directory, "zeros.iso");
    await packCoreIso(workspace.$, iso, async (root) => {
      const packed = await workspace.$`dd if=/dev/zero bs=1M count=8 status=none | gzip -9 | base64 -w0`;
      const initrd = await readFile(`${root}/boot/core.gz`);
      await writeFile(`${root}/boot/core.gz`, Buffer.concat([initrd, Buffer.from(packed.stdout, "base64")]));
    });
    const refused = await workspace.task(["fetch-iso", "--tcl-iso-url", iso]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/more than 64 times its compressed size(.|\n)*--max-unpacked/);
    await workspace.build(["fetch-iso", "--tcl-iso-url", iso, "--max-unpacked", "1GB"]);
    const wrong = await workspace.task(["fetch-iso", "--max-unpacked", "much"]);
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toContain('--max-unpacked is "much"');
  });
});

/** Hostile files of a mirror: the real command refuses each by name, pins none, and touches no file of the host. */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
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
  const root = path.join(shop.folder, "mirror root", shelf);
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
    expect(refused.stderr).toContain("it is cut short: 2000 bytes of 4096 are there");
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
      'stomp-1.2.8.gem holds another gem: the name in its specification is "evil"',
    );
    expect(await shop.locked().catch(() => [])).not.toContain("stomp-1.2.8.gem");
  });
});

describe("a Core ISO", () => {
  it.each(["boot/isolinux/isolinux.cfg", "boot/vmlinuz", "boot/core.gz"])(
    "whose %s is a link to a file of the host is refused by name, and the file stays as it is",
    async (name) => {
      const { workspace, folder } = shop;
      const place = path.join(folder, name.replaceAll("/", " "));
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
        expect(refused.stderr).not.toMatch(/^\s+at |not a mistake of yours/m);
        expect(refused.stderr).not.toContain(secretText);
      }
      expect(await canary.look()).toEqual(before);
      const made = await readdir(workspace.path("build-files")).catch(() => []);
      expect(made.filter((one) => one.includes("pxe"))).toEqual([]);
    },
  );

  it("that is a pipe is refused by name, and nobody waits for it", async () => {
    const pipe = path.join(shop.folder, "pipe.iso");
    await shop.workspace.$`mkfifo ${pipe}`;
    const refused = await shop.workspace.task(["fetch-iso", "--tcl-iso-url", pipe]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain("pipe.iso is not a file");
  });

  it("without a boot menu, or with one of gigabytes, is refused by name", async () => {
    const { workspace, folder } = shop;
    for (const [what, change] of [
      ["no", "rm isolinux.cfg"],
      ["more than", "truncate -s 64M isolinux.cfg"],
    ] as const) {
      const iso = path.join(folder, `${what} menu.iso`);
      await packCoreIso(workspace.$, iso, async (root) => {
        await workspace.$({ cwd: `${root}/boot/isolinux` })`sh -c ${change}`;
      });
      const args = ["boot-loaders", "--tcl-iso-url", iso, "--firmware", "auto"];
      const refused = await workspace.task(args);
      expect(refused.status).toBe(1);
      expect(refused.stderr).toContain("boot/isolinux/isolinux.cfg");
      expect(refused.stderr).toContain(what);
      expect(refused.stderr).not.toContain("not a mistake of yours");
    }
  });

  it("may have an initrd that unpacks to more than usual where the user says so", async () => {
    const { workspace, folder } = shop;
    const iso = path.join(folder, "zeros.iso");
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

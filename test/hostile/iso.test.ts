/** Core ISOs that mean harm: no file of the host is read, rewritten or waited for, and each is refused by name. */
import { link, mkdir, readdir, readFile, rm, symlink } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { openCoreIso } from "../../tasks/image/core-iso.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { makeCanary, secretText } from "./canary.ts";
import { packCoreIso } from "./iso-builder.ts";

const workspace = useWorkspace();
const label = "Core.iso (http://mirror/Core.iso)";

async function open(name: string, change: (root: string, host: string) => Promise<unknown>) {
  const place = workspace.path(name);
  await mkdir(`${place}/scratch`, { recursive: true });
  const canary = await makeCanary(`${place}/host`);
  const before = await canary.look();
  await packCoreIso(workspace.$, `${place}/Core.iso`, (root) => change(root, canary.directory));
  const places = { boot: `${place}/boot`, core: `${place}/core.json`, listing: `${place}/listing.json` };
  const error = await openCoreIso(`${place}/Core.iso`, label, places, { scratch: `${place}/scratch` }).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(await canary.look()).toEqual(before);
  return { place, error };
}

async function replaceByLink(root: string, name: string, target: string): Promise<void> {
  await rm(`${root}/${name}`, { force: true });
  await symlink(target, `${root}/${name}`);
}

describe("a Core ISO", () => {
  test("is taken apart into its kernel, its initrd and its boot loader's files", async () => {
    const { place, error } = await open("honest", async () => undefined);
    expect(error).toBeUndefined();
    expect((await readdir(`${place}/boot`, { recursive: true })).sort()).toEqual([
      "core.gz",
      "isolinux",
      "isolinux/isolinux.bin",
      "isolinux/isolinux.cfg",
      "vmlinuz",
    ]);
    expect(await readFile(`${place}/boot/vmlinuz`, "utf8")).toBe("kernel");
  });

  test.each([
    ["boot/isolinux/isolinux.cfg", (host: string) => `${host}/secret`],
    ["boot/vmlinuz", (host: string) => `${host}/secret`],
    ["boot/core.gz", (host: string) => `${host}/secret`],
    ["boot/isolinux/isolinux.bin", () => "../../../host/secret"],
    ["boot/extra", () => "extra"],
    ["boot/extra", () => "/boot/vmlinuz"],
    ["boot/extra", () => "isolinux"],
    ["boot/extra", () => "/etc/passwd"],
  ])("whose %s is a link to anything but a file of the ISO is refused by name", async (name, target) => {
    const { place, error } = await open(
      `link ${target("x").replaceAll("/", "-")} ${name.replaceAll("/", "-")}`,
      (root, host) => replaceByLink(root, name, target(host)),
    );
    expect(error).toMatchObject({
      code: "unsafe-link",
      message: expect.stringContaining(`the ISO's ${name} is a link to`),
      where: `${label}: ${name}`,
    });
    expect(await readdir(place)).not.toContain("boot");
  });

  test("whose boot directory is a link of the host is no Core ISO", async () => {
    const { error } = await open("directory", async (root, host) => {
      await rm(`${root}/boot`, { recursive: true });
      await symlink(host, `${root}/boot`);
    });
    expect(error).toMatchObject({ code: "unsafe-link" });
  });

  test("with a link to another of its own files has that file in the link's place", async () => {
    const { place, error } = await open("inside", (root) =>
      replaceByLink(root, "boot/isolinux/isolinux.bin", "../vmlinuz"),
    );
    expect(error).toBeUndefined();
    expect(await readFile(`${place}/boot/isolinux/isolinux.bin`, "utf8")).toBe("kernel");
  });

  test.each(["boot/core.gz", "boot/vmlinuz", "boot/isolinux/isolinux.cfg", "boot/pipe"])(
    "whose %s is a pipe is refused by name, and nothing waits for it",
    async (name) => {
      const { error } = await open(`pipe ${name.replaceAll("/", "-")}`, async (root) => {
        await rm(`${root}/${name}`, { force: true });
        await workspace.$`mkfifo ${`${root}/${name}`}`;
      });
      expect(error).toMatchObject({ code: "unsafe-entry", where: `${label}: ${name}` });
    },
  );

  test("whose files share their sectors many times over is refused before they are copied", async () => {
    const { place, error } = await open("shared", async (root) => {
      for (let n = 0; n < 3000; n += 1)
        await link(`${root}/boot/isolinux/isolinux.bin`, `${root}/boot/copy-${n}`);
    });
    expect(error).toMatchObject({ code: "bomb", where: label });
    expect(await readdir(place)).not.toContain("boot");
  });

  test("never has the host's bytes in what is made of it", async () => {
    for (const file of await workspace.$`grep -rl ${secretText} ${workspace.path("")} || true`.then(
      ({ stdout }) => stdout.split("\n"),
    )) {
      expect(file).toMatch(/^$|\/host\/secret$/);
    }
  });
});

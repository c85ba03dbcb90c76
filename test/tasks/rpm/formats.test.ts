/** Formats of the flavour rpm: repomd.xml, .treeinfo, versions, headers of installed packages. */
import { describe, expect, it } from "vitest";
import { parseTreeinfo, wantedLabel } from "../../../tasks/rpm/boot-files.ts";
import { formatRepomd, parseRepomd } from "../../../tasks/rpm/repomd.ts";
import { datedHeaders } from "../../../tasks/rpm/rpm-database.ts";
import { rpmVersion } from "../../../tasks/rpm/spec-template.ts";

const sha = "a".repeat(64);
const data = (type: string, href: string, checksum = `<checksum type="sha256">${sha}</checksum>`) =>
  `<data type="${type}">${checksum}<location href="${href}"/><size>5</size></data>`;
const repomd = (...entries: readonly string[]) =>
  `<?xml version="1.0"?>\n<repomd xmlns="http://linux.duke.edu/metadata/repo">${entries.join("")}</repomd>`;

describe("repomd.xml", () => {
  it("tells the files that dnf needs, and can be written with those only", () => {
    const text = repomd(data("primary", "repodata/p.xml.zst"), data("updateinfo", "repodata/u.xml.gz"));
    const files = parseRepomd(text, "repomd.xml");
    expect(files).toMatchObject([{ type: "primary", href: "repodata/p.xml.zst", sha256: sha, size: 5 }]);
    expect(parseRepomd(formatRepomd(files, "0"), "again")).toMatchObject([{ type: "primary", sha256: sha }]);
  });

  it.each([
    [repomd(), "no primary"],
    [repomd(data("primary", "../../etc/passwd")), "the location"],
    [repomd(data("primary", "/etc/passwd")), "the location"],
    [repomd(data("primary", "p.xml", `<checksum type="sha">${"a".repeat(40)}</checksum>`)), "no sha256"],
    ["<html></html>", "the root element is html"],
    ["<repomd>", "not XML"],
  ])("is refused: %j", (text, message) => {
    expect(() => parseRepomd(text, "repomd.xml")).toThrow(
      expect.objectContaining({ code: "repository-metadata", message: expect.stringContaining(message) }),
    );
  });
});

describe(".treeinfo", () => {
  it("tells images and digests (productmd, treeinfo 1.2)", () => {
    const text = `[checksums]\nimages/a.img = sha256:${sha}\nimages/b = md5:00\n\n[images-x86_64]\nkernel = images/a.img\n[stage2]\nmainimage = images/install.img\n`;
    const info = parseTreeinfo(text, ".treeinfo");
    expect([...info.checksums]).toEqual([["images/a.img", sha]]);
    expect(info.images).toEqual(["images/a.img", "images/install.img"]);
  });

  it("is refused if a path leads out of the tree", () => {
    for (const name of ["../x", "/etc/passwd"])
      expect(() => parseTreeinfo(`[images-x86_64]\nkernel = ${name}\n`, ".treeinfo")).toThrow(
        expect.objectContaining({ code: "import-source", where: ".treeinfo:2" }),
      );
  });
});

it("boot menus tell the volume id that they look for", () => {
  expect(wantedLabel(["", "append initrd=i inst.stage2=hd:LABEL=My\\x20Disc quiet"])).toBe("My Disc");
  expect(wantedLabel(["inst.ks=hd:LABEL=KS:/ks.cfg"])).toBe("KS");
  expect(wantedLabel(["append initrd=i"])).toBeUndefined();
});

it("a version for rpm has no hyphen, and a pre-release sorts before its release", () => {
  expect(rpmVersion("1.2.4-beta.1")).toBe("1.2.4~beta.1");
  expect(rpmVersion("1.2.3+4-gabc1234-dirty")).toBe("1.2.3+4.gabc1234.dirty");
});

it("headers of packages get one time of installation, and keep all else", () => {
  const header = Buffer.alloc(16 + 2 * 16 + 8, 0xff);
  header.writeUInt32BE(0x8eade801, 0);
  header.writeUInt32BE(2, 8);
  header.writeUInt32BE(8, 12);
  for (const [index, tag] of [1000, 1008].entries()) {
    header.writeUInt32BE(tag, 16 + index * 16);
    header.writeUInt32BE(index * 4, 16 + index * 16 + 8);
  }
  const dated = datedHeaders(Buffer.concat([header, header]), 1_600_000_000);
  expect(dated.readUInt32BE(16 + 32 + 4)).toBe(1_600_000_000);
  expect(dated.readUInt32BE(header.length + 16 + 32 + 4)).toBe(1_600_000_000);
  expect(dated.readUInt32BE(16 + 32)).toBe(0xffffffff);
  expect(() => datedHeaders(Buffer.alloc(20), 0)).toThrow("no header");
});

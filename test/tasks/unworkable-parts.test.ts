/** What a converted package cannot do in an image is named. Formats: deb-conffiles(5), deb-triggers(5). */
import { describe, expect, it } from "vitest";
import { findUnworkable } from "../../tasks/debian/unworkable-parts.ts";

const none = { fields: new Map(), scripts: new Map(), conffiles: [], triggers: [] };
const scripts = (texts: Readonly<Record<string, string>>) => ({
  ...none,
  scripts: new Map(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text, "latin1")] as const)),
});
const find = (
  control: Parameters<typeof findUnworkable>[0],
  programs: readonly string[] = ["sh", "ldconfig"],
) => findUnworkable(control, new Set(programs), (path) => path !== "etc/gone.conf");

describe("a package", () => {
  it("that has nothing but files, and the trigger that Tiny Core's own ldconfig serves, works", () => {
    const triggers = ["activate-noawait ldconfig"];
    expect(
      find({ ...scripts({ postinst: "#!/bin/sh\nldconfig\n", prerm: "#!/bin/perl" }), triggers }),
    ).toEqual([]);
  });

  it("with a preinst, conffiles and triggers has them named", () => {
    const control = {
      ...scripts({ preinst: "#!/bin/sh\n" }),
      conffiles: ["etc/hello.conf", "etc/gone.conf"],
      triggers: ["interest-noawait /usr/share/icons", "activate update-initramfs"],
    };
    expect(find(control)).toEqual([
      "its preinst does not run",
      "its configuration files are read-only in a running image: etc/hello.conf",
      "its triggers do nothing: interest-noawait /usr/share/icons, activate update-initramfs",
    ]);
  });

  it("whose postinst uses programs that the image has not has them named, but not those of comments", () => {
    const text =
      "#!/usr/bin/env perl\n# dpkg-divert \xe9\nupdate-alternatives --install /a a /b 1\nupdate-rc.d x defaults\n";
    expect(find(scripts({ postinst: text }))).toEqual([
      "its postinst uses perl, update-alternatives, update-rc.d, which neither Core nor the listed packages have",
    ]);
    expect(find(scripts({ postinst: text }), ["perl", "update-alternatives", "update-rc.d"])).toEqual([]);
  });

  it("whose postinst asks debconf is named", () => {
    const text = "#!/bin/sh\nset -e\n. /usr/share/debconf/confmodule\ndb_get hello/x\n";
    expect(find(scripts({ postinst: text }))).toEqual(["its postinst asks debconf, which no image has"]);
  });

  it("with many conffiles has the first ones named", () => {
    const conffiles = Array.from({ length: 7 }, (_, index) => `etc/${index}`);
    expect(find({ ...none, conffiles })[0]).toMatch(/: etc\/0, etc\/1, etc\/2, etc\/3, etc\/4, and 2 more$/);
  });
});

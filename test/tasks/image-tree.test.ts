/** What is true of the image's files whatever is built. */
import { describe, expect, it } from "vitest";
import { Secret } from "../../src/engine/index.ts";
import { bytesContent, FileTree } from "../../src/formats/index.ts";
import { relativeModuleLinks } from "../../tasks/image/image-tree.ts";
import { serverConfiguration } from "../../tasks/image/mcollective.ts";

describe("Core's link to the modules of extensions", () => {
  it("is relative in the image, so that it leads to the same place wherever the image is unpacked", () => {
    const core = new FileTree()
      .addSymlink(
        "lib/modules/3.0.21-tinycore/kernel.tclocal",
        "/usr/local/lib/modules/3.0.21-tinycore/kernel",
        {
          mtime: 0,
        },
      )
      .addSymlink("lib/modules/3.0.21-tinycore/build", "/usr/src/linux", { mtime: 0 })
      .addFile("lib/modules/3.0.21-tinycore/modules.dep", bytesContent(""), { mtime: 0 });
    const links = relativeModuleLinks(core, 7);
    expect([...links]).toEqual([
      [
        "lib/modules/3.0.21-tinycore/kernel.tclocal",
        expect.objectContaining({
          type: "symlink",
          target: "../../../usr/local/lib/modules/3.0.21-tinycore/kernel",
          mtime: 7,
        }),
      ],
    ]);
  });

  it("stays as it is where it is relative already", () => {
    const core = new FileTree().addSymlink(
      "usr/lib/modules/6.6.8-tinycore64/kernel.tclocal",
      "../../../local/lib/modules/6.6.8-tinycore64/kernel",
      { mtime: 0 },
    );
    expect(relativeModuleLinks(core, 7).size).toBe(0);
  });
});

describe("MCollective's server.cfg", () => {
  const settings = {
    host: "ubuntu-server",
    port: 6163,
    user: "mcollective",
    collective: "mcollective",
    logLevel: "info",
  };
  const keysOf = (text: string) =>
    text.split("\n").flatMap((line) => (line === "" || line.startsWith("#") ? [] : [line.split(" = ")[0]]));

  it("has every key that the Microkernel's documentation lists, in that order", () => {
    const text = serverConfiguration({
      ...settings,
      password: new Secret("geheim"),
      psk: new Secret("klot"),
    });
    expect(keysOf(text)).toEqual([
      ...["topicprefix", "main_collective", "collectives", "libdir", "logfile", "loglevel", "daemonize"],
      ...["securityprovider", "plugin.psk", "connector"],
      ...["plugin.stomp.host", "plugin.stomp.port", "plugin.stomp.user", "plugin.stomp.password"],
      ...["factsource", "plugin.yaml"],
    ]);
    for (const line of [
      "topicprefix = /topic/",
      "libdir = /usr/local/mcollective/plugins",
      "logfile = /var/log/mcollective.log",
      "daemonize = 1",
      "securityprovider = psk",
      "plugin.psk = klot",
      "connector = stomp",
      "plugin.stomp.host = ubuntu-server",
      "plugin.stomp.port = 6163",
      "plugin.stomp.password = geheim",
      "factsource = yaml",
      "plugin.yaml = /usr/local/etc/mcollective/facts.yaml",
    ])
      expect(text.split("\n")).toContain(line);
  });

  it("has no line for a secret that was not given, and no default for one", () => {
    const text = serverConfiguration({ ...settings, password: undefined, psk: undefined });
    expect(keysOf(text)).not.toContain("plugin.psk");
    expect(keysOf(text)).not.toContain("plugin.stomp.password");
  });
});

/** What a new project may begin with: files of this package, and where they go in the project. */
import type { ProjectTemplate } from "../src/engine/index.ts";

const everyProject = {
  "tasks/package-list.ts": "tasks/templates/example/package-list.ts",
  COPYING: "COPYING",
  LICENSE: "LICENSE",
} as const;

export const templates: Readonly<Record<string, ProjectTemplate>> = {
  razor: {
    description: "the Razor Microkernel: collects facts and checks in with a Razor server",
    contents: { lists: "lists", "overlay-src": "overlay-src", ...everyProject },
  },
  rescue: {
    description: "a rescue system with tools and ssh, without Razor, gems and MCollective",
    contents: {
      lists: "tasks/templates/rescue/lists",
      "lists/util-linux-exec.lst": "lists/util-linux-exec.lst",
      "overlay-src/etc/init.d/serial-console": "overlay-src/etc/init.d/serial-console",
      "overlay-src/etc/inittab": "overlay-src/etc/inittab",
      "overlay-src/etc/passwd": "overlay-src/etc/passwd",
      "overlay-src/etc/shadow": "overlay-src/etc/shadow",
      "overlay-src/opt/bootsync.sh": "tasks/templates/rescue/bootsync.sh",
      ...everyProject,
    },
  },
  appliance: {
    description: "an appliance: programs of its own, an account, edits and names, each in small",
    contents: {
      lists: "tasks/templates/appliance/lists",
      edits: "tasks/templates/appliance/edits",
      extensions: "tasks/templates/appliance/extensions",
      "lists/util-linux-exec.lst": "lists/util-linux-exec.lst",
      "overlay-src/etc/init.d/serial-console": "overlay-src/etc/init.d/serial-console",
      "overlay-src/etc/inittab": "overlay-src/etc/inittab",
      "overlay-src/etc/passwd": "overlay-src/etc/passwd",
      "overlay-src/etc/shadow": "overlay-src/etc/shadow",
      "overlay-src/opt/bootsync.sh": "tasks/templates/rescue/bootsync.sh",
      "overlay-src/opt/appliance/about": "tasks/templates/appliance/about",
      ...everyProject,
    },
  },
  rpm: {
    description: "an installer's tree and ISO out of repositories of RPMs",
    flavour: "rpm",
    sample: "sample-rpm",
    contents: {
      lists: "tasks/templates/rpm/lists",
      "comps.xml": "tasks/templates/rpm/comps.xml",
      "kickstart/ks.cfg": "tasks/templates/rpm/kickstart/ks.cfg",
      installer: "tasks/templates/rpm/installer",
      "image-src": "tasks/templates/rpm/image-src",
      "tasks/package-list.ts": everyProject["tasks/package-list.ts"],
    },
  },
  remaster: {
    description: "Tiny Core with your extensions, boot codes and files, and nothing else",
    flavour: "remaster",
    contents: {
      lists: "tasks/templates/remaster/lists",
      "tasks/package-list.ts": everyProject["tasks/package-list.ts"],
    },
  },
};

/** The sample of the flavour rpm: repositories of RPMs, which its own steps open, and no mirror of extensions. */
import { UserError } from "../../../src/errors/index.ts";
import type { SourceKind } from "./source-kind.ts";

export const sampleRpm: SourceKind = {
  name: "sample-rpm",
  description: "sample-rpm (flavour rpm)",
  matches: (source) => source === "sample-rpm",
  isListed: false,
  needs: undefined,
  lock: { file: ".buildcache/sample-rpm.lock.json", pins: "recorded", hasTimes: false },
  withoutUpstream: {
    update:
      "the source sample-rpm follows apt: run `apt-get update` as root, and the next build uses the new packages",
    doctor: "not needed: the source sample-rpm is made on this machine",
  },
  open: async () => {
    throw new UserError("the source sample-rpm has RPMs, and no Tiny Core extensions", {
      code: "source-unknown",
      where: "--source sample-rpm",
      hint: "use it with the targets of the flavour rpm, or name another source: --source sample",
    });
  },
};

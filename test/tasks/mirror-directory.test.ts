/** Mirrors that are named together with their release and architecture, as the old script's settings do. */
import { expect, it } from "vitest";
import { splitMirror } from "../../tasks/source/kinds/mirror-directory.ts";

const option = "--tcl-mirror-uri";

// The first one is the default of `TCL_MIRROR_URI` in puppetlabs/Razor-Microkernel, build-bundle-file.sh.
it.each([
  [
    "http://distro.ibiblio.org/tinycorelinux/4.x/x86/tcz",
    "http://distro.ibiblio.org/tinycorelinux",
    { release: "4.x", arch: "x86" },
  ],
  ["http://127.0.0.1/tc/16.x/x86_64/", "http://127.0.0.1/tc", { release: "16.x", arch: "x86_64" }],
  ["/srv/tc/4.x/x86/tcz/", "/srv/tc", { release: "4.x", arch: "x86" }],
  ["http://127.0.0.1/tinycorelinux", "http://127.0.0.1/tinycorelinux", undefined],
  ["http://127.0.0.1/4.x/mips/tcz", "http://127.0.0.1/4.x/mips/tcz", undefined],
])("%s is the mirror %s", (text, base, place) => {
  expect(splitMirror(text, option)).toEqual({ base, place });
});

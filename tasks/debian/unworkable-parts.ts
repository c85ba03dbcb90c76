/**
 * What of a package does nothing in an image, where no dpkg installs it: named, so that nobody relies on it.
 *
 * Sources: deb-conffiles(5), deb-triggers(5), deb-preinst(5); Tiny Core's `tce-load`, which links an extension's files from a
 * read-only mount, and runs ldconfig after loading.
 */
import { type DebControl, printName } from "../../src/formats/index.ts";

/** Programs of Debian and its services that postinst scripts call. */
const helpers = [
  "addgroup",
  "adduser",
  "chage",
  "deb-systemd-helper",
  "deb-systemd-invoke",
  "dpkg",
  "dpkg-divert",
  "dpkg-maintscript-helper",
  "dpkg-statoverride",
  "dpkg-trigger",
  "glib-compile-schemas",
  "groupadd",
  "gtk-update-icon-cache",
  "install-info",
  "invoke-rc.d",
  "py3compile",
  "setcap",
  "systemctl",
  "systemd-sysusers",
  "systemd-tmpfiles",
  "ucf",
  "ucfr",
  "update-alternatives",
  "update-ca-certificates",
  "update-desktop-database",
  "update-initramfs",
  "update-mime-database",
  "update-rc.d",
  "useradd",
  "usermod",
] as const;

/** How many files or triggers a note names. */
const named = 5;

/**
 * Phrases for a note, such as `its preinst does not run`. `programs` are the names of the programs that Core and the converted packages
 * have; conffiles that the package does not contain, by `has`, are passed over.
 */
export function findUnworkable(
  { scripts, conffiles, triggers }: DebControl,
  programs: ReadonlySet<string>,
  has: (path: string) => boolean,
): readonly string[] {
  const found: string[] = [];
  if (scripts.has("preinst")) found.push("its preinst does not run");
  const postinst = scripts.get("postinst")?.toString("latin1");
  if (postinst !== undefined) {
    const missing = programsOf(postinst).filter((name) => !programs.has(name));
    if (missing.length > 0) {
      found.push(`its postinst uses ${missing.join(", ")}, which neither Core nor the listed packages have`);
    }
    if (/^\s*(\.|source)\s+\/usr\/share\/debconf\/confmodule/m.test(postinst))
      found.push("its postinst asks debconf, which no image has");
  }
  const configuration = conffiles.filter(has).map(printName);
  if (configuration.length > 0)
    found.push(`its configuration files are read-only in a running image: ${firstOf(configuration)}`);
  const dead = triggers.filter((trigger) => !/^activate(-await|-noawait)? ldconfig$/.test(trigger));
  if (dead.length > 0) found.push(`its triggers do nothing: ${firstOf(dead.map(printName))}`);
  return found;
}

/** The interpreter of a script and the helpers that lines other than comments name. */
function programsOf(script: string): readonly string[] {
  const names = new Set<string>();
  const [, interpreter] = /^#![ \t]*(?:\/usr\/bin\/env[ \t]+)?(\S+)/.exec(script) ?? [];
  if (interpreter !== undefined) names.add(interpreter.slice(interpreter.lastIndexOf("/") + 1));
  const text = script.replace(/^[ \t]*#.*$/gm, "");
  for (const helper of helpers) {
    const word = helper.replaceAll(".", "\\.");
    if (new RegExp(`(?<![\\w.-])${word}(?![\\w.-])`).test(text)) names.add(helper);
  }
  return [...names];
}

function firstOf(names: readonly string[]): string {
  const more = names.length > named ? `, and ${names.length - named} more` : "";
  return `${names.slice(0, named).join(", ")}${more}`;
}

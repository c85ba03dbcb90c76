/**
 * Kickstart files: fields filled in, and the faults that the installer would find only when it runs. Commands and sections are those of
 * pykickstart's documentation (chapters 2 to 10), of Fedora and of RHEL 6 to 10.
 */
import { didYouMean, UserError } from "../../src/errors/index.ts";

const commands: ReadonlySet<string> = new Set(
  `auth authconfig authselect autopart autostep bootc bootloader btrfs cdrom clearpart cmdline device deviceprobe dmraid driverdisk eula
  fcoe firewall firstboot graphical group halt harddrive hmc ignoredisk install interactive iscsi iscsiname key keyboard lang langsupport
  liveimg lilocheck logging logvol mediacheck method module monitor mount mouse multipath network nfs nvdimm ostreecontainer ostreesetup
  part partition poweroff raid rdp realm reboot repo reqpart rescue rhsm rootpw runtime selinux services shutdown skipx snapshot sshkey
  sshpw stratis syspurpose text timesource timezone unsupported_hardware updates upgrade url user vnc volgroup xconfig zerombr zfcp zipl`.split(
    /\s+/,
  ),
);

const sections: ReadonlySet<string> = new Set(
  "packages pre pre-install post onerror traceback addon anaconda certificate".split(" "),
);

/** Fields of a template, by name. */
type KickstartFields = Readonly<Record<string, string>>;

/**
 * The text with the value of each `{{field}}`, checked. `label` is the file's name in messages; lines are those of the template.
 * @throws UserError `kickstart-field`, `bad-kickstart`
 */
export function renderKickstart(template: string, fields: KickstartFields, label: string): string {
  const rendered = template.split("\n").map((line, index) =>
    line.replace(/\{\{\s*([\w-]*)\s*\}\}/g, (field, name: string) => {
      const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (value !== undefined) return value;
      const known = Object.keys(fields);
      throw new UserError(`there is no field ${field}`, {
        code: "kickstart-field",
        where: `${label}:${index + 1}`,
        hint: didYouMean(name, known) ?? `fields: ${known.map((one) => `{{${one}}}`).join(", ")}`,
      });
    }),
  );
  checkKickstart(rendered, label);
  return rendered.join("\n");
}

function checkKickstart(lines: readonly string[], label: string): void {
  const at = (index: number): string => `${label}:${index + 1}`;
  let open: { readonly name: string; readonly index: number } | undefined;
  for (const [index, line] of lines.entries()) {
    const text = line.trim();
    const [, section] = /^%([\w-]+)/.exec(text) ?? [];
    if (section === "end") {
      if (open === undefined) throw bad("%end ends no section", at(index), "remove it");
      open = undefined;
      continue;
    }
    if (section === "include" || section === "ksappend") continue;
    // A line of a script may begin so: only sections that are known begin one within a section.
    if (section !== undefined && (open === undefined || sections.has(section))) {
      if (!sections.has(section)) {
        const hint = didYouMean(section, [...sections]) ?? `sections: %${[...sections].join(", %")}`;
        throw bad(`there is no section %${section}`, at(index), hint);
      }
      if (open !== undefined)
        throw bad(
          `%${open.name} of line ${open.index + 1} has no %end before %${section}`,
          at(index),
          endHint,
        );
      open = { name: section, index };
      continue;
    }
    if (open === undefined) checkCommand(text, at(index));
    else if (open.name === "pre" || open.name === "pre-install") checkScriptLine(text, at(index));
  }
  if (open !== undefined) throw bad(`%${open.name} has no %end`, at(open.index), endHint);
}

const endHint = "end every section with a line %end";

function checkCommand(text: string, where: string): void {
  if (text === "" || text.startsWith("#")) return;
  const [command = "", ...words] = text.split(/\s+/);
  if (!commands.has(command)) {
    const hint = didYouMean(command, [...commands]) ?? "see pykickstart's list of commands";
    throw bad(`there is no command "${command}"`, where, hint);
  }
  if (command === "part" || command === "partition" || command === "logvol") {
    const size = words.findIndex((word) => /^--size(=|$)/.test(word));
    const value = words[size]?.includes("=") ? words[size]?.split("=")[1] : words[size + 1];
    if (size !== -1 && value === "0")
      throw bad("--size=0 is refused by the installer, even with --grow", where, "write --size=1 --grow");
  }
  if (command === "clearpart" && words.some((word) => /^--(all|linux|drives|list)/.test(word))) {
    if (!words.includes("--initlabel"))
      throw bad(
        "clearpart without --initlabel leaves disks without a valid label as they are",
        where,
        "add --initlabel",
      );
  }
}

/** Scripts before the installation choose disks. */
function checkScriptLine(text: string, where: string): void {
  if (text.startsWith("#") || !/\blist-harddrives\b/.test(text)) return;
  if (/\b(grep|awk|sed|egrep)\b/.test(text)) return;
  throw bad(
    "list-harddrives also lists partitions",
    where,
    "filter its lines, for example with: list-harddrives | awk '$1 !~ /[0-9]$/ { print $1 }'",
  );
}

function bad(message: string, where: string, hint: string): UserError {
  return new UserError(message, { code: "bad-kickstart", where, hint });
}

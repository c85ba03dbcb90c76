/** What a template must not hold: secrets and traces of one machine, which every copy of it would share. */
import type { FileTree } from "../../src/formats/index.ts";

interface Rule {
  readonly pattern: RegExp;
  /** For messages and documents. */
  readonly what: string;
}

/**
 * Sources: sshd(8) FILES, machine-id(5), hier(7), udhcpc's and dhclient(8)'s leases, sh(1) and ruby's irb histories,
 * ca-certificates' private directory, RubyGems' cache directory.
 */
const rules: readonly Rule[] = [
  { what: "ssh host keys", pattern: /^(usr\/local\/)?etc\/ssh\/ssh_host_[^/]*$/ },
  { what: "machine ids", pattern: /^(etc\/machine-id|var\/lib\/dbus\/machine-id)$/ },
  { what: "private keys", pattern: /^(usr\/local\/)?etc\/(ssl|pki\/tls)\/private\/./ },
  { what: "logs", pattern: /^var\/log\/./ },
  { what: "leases", pattern: /^var\/lib\/(dhcp|dhcpcd|NetworkManager)\/./ },
  { what: "histories", pattern: /^(root|home\/[^/]+)\/\.(ash|bash|irb|python|zsh)_?history$/ },
  { what: "caches", pattern: /^(var\/cache\/(apt|dnf|yum)|(usr\/local\/)?lib\/ruby\/gems\/[^/]+\/cache)\/./ },
  { what: "random seeds", pattern: /^var\/lib\/(random-seed|systemd\/random-seed|urandom\/random-seed)$/ },
  { what: "packed extensions", pattern: /^tmp\/(builtin|tinycorelinux)(\/|$)/ },
];

/** Removes from the tree what the rules name; returns how many entries of each kind went. Directories of a rule stay. */
export function scrub(tree: FileTree): ReadonlyMap<string, number> {
  const removed = new Map<string, number>();
  for (const path of tree.paths()) {
    const rule = rules.find(({ pattern }) => pattern.test(path));
    if (rule === undefined) continue;
    tree.delete(path);
    removed.set(rule.what, (removed.get(rule.what) ?? 0) + 1);
  }
  return removed;
}

/** One sentence about what was removed; undefined for nothing. */
export function describeScrubbed(removed: ReadonlyMap<string, number>): string | undefined {
  if (removed.size === 0) return undefined;
  const parts = [...removed].map(([what, entries]) => `${what} (${entries})`);
  return `the template does not have the image's ${parts.join(", ")}`;
}

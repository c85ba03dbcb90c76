/**
 * Files that only their owner may read, whatever their modes on disk: git does not keep these, and the programs that read such
 * files refuse them otherwise.
 *
 * Sources: sudoers(5) and visudo(8) (`visudo -c` wants 0440), shadow(5), sshd(8) FILES, wg-quick(8), gpg(1), pppd(8), netrc(5).
 */

interface TightRule {
  readonly pattern: RegExp;
  readonly file: number;
  /** The mode of a directory that the pattern matches; without it, the pattern is about files only. */
  readonly directory?: number;
}

const secretFile = 0o600;
const secretDirectory = 0o700;

const rules: readonly TightRule[] = [
  { pattern: /^(usr\/local\/)?etc\/sudoers(\.d\/[^/]+)?$/, file: 0o440 },
  { pattern: /^etc\/g?shadow[^/]*$/, file: secretFile },
  { pattern: /^etc\/security\/opasswd$/, file: secretFile },
  { pattern: /(^|\/)\.(ssh|gnupg)(\/|$)/, file: secretFile, directory: secretDirectory },
  {
    pattern:
      /^(usr\/local\/)?etc\/(wireguard|(ssl|pki\/tls|swanctl|ipsec\.d)\/private|NetworkManager\/system-connections)(\/|$)/,
    file: secretFile,
    directory: secretDirectory,
  },
  { pattern: /(^|\/)wg[^/]*\.conf$/, file: secretFile },
  { pattern: /(^|\/)(ssh_host_[a-z0-9]+_key|id_(rsa|dsa|ecdsa|ed25519)(_sk)?)$/, file: secretFile },
  { pattern: /\.(key|p12|pfx|keytab)$/, file: secretFile },
  { pattern: /(^|\/)(?![^/]*pub)[^/]*key[^/]*\.pem$/, file: secretFile },
  { pattern: /(^|\/)\.(netrc|pgpass|my\.cnf|git-credentials)$/, file: secretFile },
  {
    pattern:
      /^(usr\/local\/)?etc\/(ppp\/(chap|pap)-secrets|(ipsec|rsyncd)\.secrets|wpa_supplicant[^/]*\.conf)$/,
    file: secretFile,
  },
  // It holds the password of the MCollective daemon.
  { pattern: /^usr\/local\/etc\/mcollective\/server\.cfg$/, file: secretFile },
];

/** The mode that a file or directory of the image must have; undefined where no rule is about it. */
export function tightMode(path: string, type: string): number | undefined {
  if (type !== "file" && type !== "directory") return undefined;
  for (const rule of rules) {
    const mode = type === "file" ? rule.file : rule.directory;
    if (mode !== undefined && rule.pattern.test(path)) return mode;
  }
  return undefined;
}

/** Whether a file of this name may hold a private key beside certificates, so that its content decides. */
export function mayHoldKey(path: string): boolean {
  return path.endsWith(".pem");
}

/** Whether the text has a private key in PEM (RFC 7468, section 5.1 and up: `PRIVATE KEY`, `ENCRYPTED PRIVATE KEY`, …). */
export function holdsKey(bytes: Uint8Array): boolean {
  return /^-----BEGIN [A-Z ]*PRIVATE KEY-----/m.test(Buffer.from(bytes).toString("latin1"));
}

/** The records that `apt-cache show` prints, and the dependency fields in them. */

/** One dependency: any of these package names satisfies it, the first is preferred. */
export type Alternatives = readonly string[];

export interface AptRecord {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Bytes of the package file. */
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** `Pre-Depends` and `Depends`, in this order. */
  readonly depends: readonly Alternatives[];
  /** Names of virtual packages that this package stands for. */
  readonly provides: readonly string[];
}

/**
 * The fields of one record (deb-control(5)): `Name: value`, where lines that begin with a blank continue the
 * value above, kept with their line breaks.
 */
function parseFields(record: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  let current: string | undefined;
  for (const line of record.split("\n")) {
    if (/^[ \t]/.test(line) && current !== undefined) {
      fields.set(current, `${fields.get(current) ?? ""}\n${line.slice(1)}`);
      continue;
    }
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    current = line.slice(0, colon);
    fields.set(current, line.slice(colon + 1).trim());
  }
  return fields;
}

/**
 * A dependency field such as `libc6 (>= 2.36), debconf (>= 0.5) | debconf-2.0` as names; version bounds are
 * left out, because the packages of one release fit one another.
 */
export function parseDependencies(field: string | undefined): readonly Alternatives[] {
  if (field === undefined) return [];
  return field
    .split(",")
    .map((group) => group.split("|").map(packageName).filter(isNotEmpty))
    .filter((group) => group.length > 0);
}

/** Reads the records in the output of `apt-cache show`; of a name that comes twice the first one counts. */
export function parseRecords(output: string): ReadonlyMap<string, AptRecord> {
  const records = new Map<string, AptRecord>();
  for (const text of output.split(/\n\n+/)) {
    const fields = parseFields(text);
    const name = fields.get("Package");
    const version = fields.get("Version");
    const sha256 = fields.get("SHA256");
    // A package that is installed but offered by no repository has no file to download.
    if (name === undefined || version === undefined || sha256 === undefined || records.has(name)) continue;
    records.set(name, {
      name,
      version,
      architecture: fields.get("Architecture") ?? "all",
      size: Number(fields.get("Size") ?? "0"),
      sha256: sha256.toLowerCase(),
      depends: [...parseDependencies(fields.get("Pre-Depends")), ...parseDependencies(fields.get("Depends"))],
      provides: parseDependencies(fields.get("Provides")).flat(),
    });
  }
  return records;
}

function packageName(dependency: string): string {
  return (dependency.trim().split(/[\s([:<]/, 1)[0] ?? "").trim();
}

function isNotEmpty(text: string): boolean {
  return text !== "";
}

/** Typed reading of a gem's specification, as YAML without Ruby's types gives it. */

/** Names, versions and file names: nothing that could be code. */
export const word = /^[A-Za-z0-9][A-Za-z0-9._+-]*$/;

const bound = /^(=|!=|>|<|>=|<=|~>) [0-9A-Za-z.-]+$/;

/** A path below a directory. */
export const relative = /^(?!\/)(?!.*(^|\/)\.\.(\/|$))\P{Cc}+$/u;

/** The requirement that any version satisfies. */
export const anyVersion: readonly string[] = [">= 0"];

interface GemDependency {
  readonly name: string;
  readonly type: "runtime" | "development";
  /** Bounds such as `>= 1.0`. */
  readonly requirement: readonly string[];
}

/** The attributes of a specification, by the names of `Gem::Specification`. Methods throw an error in words. */
export class Attributes {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: unknown) {
    this.#values = isRecord(values) ? values : {};
  }

  /** Undefined for nil, which YAML writes as nothing or a tilde. */
  text(name: string): string | undefined {
    const value = this.#values[name];
    if (value === undefined || value === "" || value === "~" || value === null) return undefined;
    if (typeof value !== "string") throw new Error(`its ${name} is no text`);
    return value;
  }

  /** Whether it is a text, and no list of texts. */
  isText(name: string): boolean {
    return typeof this.#values[name] === "string";
  }

  texts(name: string): readonly string[] {
    const value = this.#values[name];
    if (Array.isArray(value)) return value.map((one) => asText(one, name));
    const only = this.text(name);
    return only === undefined ? [] : [only];
  }

  paths(name: string): readonly string[] {
    const found = this.texts(name);
    const wrong = found.find((one) => !relative.test(one));
    if (wrong === undefined) return found;
    throw new Error(`its ${name} has ${JSON.stringify(wrong)}`);
  }

  words(name: string): readonly (readonly [string, string])[] {
    const value = this.#values[name];
    return isRecord(value) ? Object.entries(value).map(([key, one]) => [key, asText(one, name)]) : [];
  }

  list(name: string): readonly Attributes[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.map((one) => new Attributes(one)) : [];
  }

  /** Digits, as written; undefined for nil. */
  number(name: string): string | undefined {
    const value = this.text(name);
    if (value === undefined || /^\d{1,9}$/.test(value)) return value;
    throw new Error(`its ${name} is ${value}`);
  }

  /** The day in UTC of a YAML timestamp, as `YYYY-MM-DD`; for nil the one that newer RubyGems take (`Gem::DEFAULT_SOURCE_DATE_EPOCH`). */
  day(name: string): string {
    const text = this.text(name) ?? "1980-01-02";
    const match = /^(\d{4}-\d\d-\d\d)(?:[Tt ]+(\d\d:\d\d:\d\d)(?:\.\d+)? *(Z|[+-]\d\d:?\d\d)?)?$/.exec(text);
    const [, date = "", time, zone = "Z"] = match ?? [];
    const moment = new Date(`${date}T${time ?? "00:00:00"}${zone.replace(/^([+-]\d\d)(\d\d)$/, "$1:$2")}`);
    if (match === null || Number.isNaN(moment.getTime()))
      throw new Error(`its ${name} is ${JSON.stringify(text)}`);
    return moment.toISOString().slice(0, 10);
  }

  /** What the gem depends on, to run or to be developed. */
  dependencies(): readonly GemDependency[] {
    return this.list("dependencies").map((one) => {
      const name = one.text("name") ?? "";
      const type = (one.text("type") ?? ":runtime").replace(/^:/, "");
      if (!word.test(name) || (type !== "runtime" && type !== "development"))
        throw new Error(`it depends on ${JSON.stringify(name)}`);
      return { name, type, requirement: one.requirement("requirement") };
    });
  }

  /** Bounds such as `>= 1.0`; any version where there are none. */
  requirement(name: string): readonly string[] {
    const value = this.#values[name];
    const pairs = isRecord(value) ? value.requirements : undefined;
    if (!Array.isArray(pairs) || pairs.length === 0) return anyVersion;
    return pairs.map((pair: unknown) => {
      const [operator, version]: readonly unknown[] = Array.isArray(pair) ? pair : [];
      const text = `${asText(operator, name)} ${isRecord(version) ? asText(version.version, name) : ""}`;
      if (!bound.test(text)) throw new Error(`its ${name} has ${JSON.stringify(text)}`);
      return text;
    });
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function asText(value: unknown, name: string): string {
  if (typeof value === "string") return value;
  throw new Error(`its ${name} is no text`);
}

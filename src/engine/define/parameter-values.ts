/** The values of parameters in one build: what the user gave, or the default, each resolved once. */
import { UsageError } from "../../errors/index.ts";
import type {
  Parameter,
  ParameterHost,
  PathDependencies,
  PathDependencySource,
  ValuesHost,
} from "./parameter.ts";

/** A text that is asked for only where it is needed: a password that somebody types. */
export type LateText = () => Promise<string>;

/** Texts that the user gave, by parameter name, in order of precedence already resolved. */
export type OptionValues = ReadonlyMap<string, string | LateText>;

/** The values of parameters in one build; each is resolved once, on first use. */
export class ParameterValues {
  readonly #given: OptionValues;
  readonly #outside: ValuesHost;
  readonly #host: ParameterHost;
  readonly #resolved = new Map<string, unknown>();
  readonly #computed = new Set<Parameter<unknown>>();
  readonly #dependsOn = new Map<string, PathDependencySource>();

  constructor(given: OptionValues, host: ValuesHost) {
    this.#given = given;
    this.#outside = host;
    this.#host = {
      ...host,
      value: (parameter) => this.get(parameter),
      dependsOn: (place, paths) => {
        if (!this.#dependsOn.has(place)) this.#dependsOn.set(place, paths);
      },
    };
  }

  /** Whether what the user gave may be written down as it is: a secret may not, nor a URL with a password in it. */
  async mayBeRecorded(parameter: Parameter<unknown>): Promise<boolean> {
    if (!this.isGiven(parameter)) return true;
    if (parameter.kind === "secret") return false;
    const value = await this.get(parameter);
    return parameter.recorded === undefined || parameter.recorded(value) === value;
  }

  /** Every path that a computed default came from, as far as these are known. */
  async dependsOn(): Promise<PathDependencies> {
    const all = await Promise.all([...this.#dependsOn.values()].map((ask) => ask()));
    return { paths: all.flatMap(({ paths }) => paths), isWhole: all.every(({ isWhole }) => isWhole) };
  }

  /** The names of parameters whose default would be computed differently now, or whose computation fails now or failed before. */
  async moved(): Promise<readonly string[]> {
    const now = new ParameterValues(this.#given, { ...this.#outside, note: () => {} });
    const computed = [...this.#computed].filter(({ kind }) => kind !== "secret");
    const checked = computed.map(async (parameter) => {
      const before = await this.#settled(parameter);
      return before === (await now.#settled(parameter)) ? [] : [parameter.name];
    });
    return (await Promise.all(checked)).flat();
  }

  /** The value as comparable text; undefined where computing it fails. */
  async #settled(parameter: Parameter<unknown>): Promise<string | undefined> {
    try {
      return JSON.stringify([await this.get(parameter)]);
    } catch {
      return undefined;
    }
  }

  /** Whether the user set it, rather than a default. */
  isGiven(parameter: Pick<Parameter<unknown>, "name">): boolean {
    return this.#given.has(parameter.name);
  }

  /** The value, or a promise of it where the default is computed by a process. */
  get<T>(parameter: Parameter<T>): T | Promise<T> {
    if (!this.#resolved.has(parameter.name)) this.#resolved.set(parameter.name, this.#resolve(parameter));
    return this.#resolved.get(parameter.name) as T | Promise<T>;
  }

  /** Parses every text that the user gave, but no secret that is still to be asked for. Throws the `UsageError` of the first bad one. */
  checkGiven(parameters: readonly Parameter<unknown>[]): void {
    for (const parameter of parameters)
      if (typeof this.#given.get(parameter.name) === "string") this.get(parameter);
  }

  /** As `get`, but undefined instead of an error for a value that is not acceptable. */
  tryGet<T>(parameter: Parameter<T>): T | Promise<T> | undefined {
    try {
      return this.get(parameter);
    } catch {
      return undefined;
    }
  }

  #resolve<T>(parameter: Parameter<T>): T | Promise<T> {
    const text = this.#given.get(parameter.name);
    if (text !== undefined) {
      parameter.check?.(this.#host.variant);
      const parse = (given: string): T => this.#parse(parameter, given);
      return typeof text === "string" ? parse(text) : text().then(parse);
    }
    const value = parameter.default;
    if (typeof value !== "function") return value;
    this.#computed.add(parameter as Parameter<unknown>);
    return (value as (host: ParameterHost) => T | Promise<T>)(this.#host);
  }

  #parse<T>(parameter: Parameter<T>, text: string): T {
    try {
      return (parameter.parse?.(text, this.#host) ?? text) as T;
    } catch (error) {
      const where = this.#outside.origins?.get(parameter.name)?.where;
      if (!(error instanceof UsageError) || error.where !== undefined || where === undefined) throw error;
      const { code, hint } = error;
      throw new UsageError(error.message, {
        code,
        where,
        cause: error,
        ...(hint === undefined ? {} : { hint }),
      });
    }
  }
}

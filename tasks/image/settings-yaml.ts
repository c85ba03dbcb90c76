/** A settings file in YAML whose errors name the line of the value that is wrong. */
import { type ErrorCode, UserError } from "../../src/errors/index.ts";

/** Where a value is: keys and indexes from the top. */
type Place = readonly (string | number)[];

export class SettingsYaml {
  /** The content as plain JavaScript; null for an empty file. */
  readonly value: unknown;
  readonly #lineOf: (place: Place) => number | undefined;
  readonly #file: string;
  readonly #code: ErrorCode;

  private constructor(
    value: unknown,
    lineOf: (place: Place) => number | undefined,
    file: string,
    code: ErrorCode,
  ) {
    this.value = value;
    this.#lineOf = lineOf;
    this.#file = file;
    this.#code = code;
  }

  /** Parses `text`; `file` is its name in messages, and `code` that of all errors. Throws a `UserError` for what is not YAML. */
  static async parse(text: string, file: string, code: ErrorCode): Promise<SettingsYaml> {
    const { isMap, isNode, isScalar, LineCounter, parseDocument } = await import("yaml");
    const lineCounter = new LineCounter();
    const document = parseDocument(text, { lineCounter, prettyErrors: false });
    const lineOf = (place: Place): number | undefined => {
      const above = place.length <= 1 ? document.contents : document.getIn(place.slice(0, -1), true);
      // A key's own line: its value may be on a later one.
      const pair = isMap(above)
        ? above.items.find(({ key }) => isScalar(key) && key.value === place.at(-1))
        : undefined;
      const node = pair?.key ?? (place.length === 0 ? document.contents : document.getIn(place, true));
      const offset = isNode(node) ? node.range?.[0] : undefined;
      return offset === undefined ? undefined : lineCounter.linePos(offset).line;
    };
    const [problem] = document.errors;
    const parsed = new SettingsYaml(problem === undefined ? document.toJS() : null, lineOf, file, code);
    if (problem === undefined) return parsed;
    throw new UserError(`the file is not YAML: ${problem.message}`, {
      code,
      where: `${file}:${lineCounter.linePos(problem.pos[0]).line}`,
      hint: "correct this line",
    });
  }

  /** The error about the value at `place`, or about what surrounds it where there is none. */
  error(place: Place, message: string, hint: string): UserError {
    let line: number | undefined;
    for (let length = place.length; length >= 0 && line === undefined; length -= 1)
      line = this.#lineOf(place.slice(0, length));
    const where = line === undefined ? this.#file : `${this.#file}:${line}`;
    return new UserError(message, { code: this.#code, where, hint });
  }
}

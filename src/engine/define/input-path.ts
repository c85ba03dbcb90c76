/** Where a declared input is: a path, or the value of a parameter that names one. */
import type { Input } from "./declared-input.ts";
import type { Parameter } from "./parameter.ts";

/** The path of a file or of a directory that patterns are relative to, as it was declared. */
export function declaredPath(input: Input): string | Parameter<string> {
  return input.kind === "file" ? input.path : input.root;
}

/** The path as text, absolute or relative to the workspace; `value` gives what a parameter has been set to. */
export function givenPath<T>(input: Input, value: (parameter: Parameter<string>) => T): string | T {
  const declared = declaredPath(input);
  return typeof declared === "string" ? declared : value(declared);
}

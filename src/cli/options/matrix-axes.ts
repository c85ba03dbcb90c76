/** The axes of a matrix, from `--over` or the Taskfile: options and the variant, each with the values that it takes in turn. */
import path from "node:path";
import { type OptionValues, type Parameter, type Taskfile, variantAxis } from "../../engine/index.ts";
import { didYouMean, printableName, UsageError } from "../../errors/index.ts";
import type { Request } from "./command-line.ts";
import { parametersOf } from "./option-table.ts";

/** The values of each axis, as texts that the option's parameter parses. */
type Axes = ReadonlyMap<string, readonly string[]>;

/**
 * The axes that the command line names, or else those of the Taskfile. A path on the command line is relative to `cwd`. Throws
 * `UsageError` `matrix-invalid`, or `option-conflict` for an option that is given too.
 */
export function matrixAxes(request: Request, taskfile: Taskfile, cwd: string): Axes {
  const named = request.over.map((text): readonly [name: string, values: readonly string[]] => {
    const at = text.indexOf("=");
    if (at < 1) throw invalid(`--over is "${printableName(text)}", without the values of an option`);
    return [text.slice(0, at).replace(/^--/, ""), text.slice(at + 1).split(",")];
  });
  const isGiven = named.length > 0;
  const entries = isGiven ? named : Object.entries(taskfile.matrix ?? {});
  if (entries.length === 0) throw invalid("the matrix has no axis");
  const axes = new Map<string, readonly string[]>();
  for (const [name, values] of entries) {
    const parameter = name === variantAxis ? undefined : parameterNamed(name, taskfile);
    const axis = parameter?.name ?? variantAxis;
    if (axes.has(axis)) throw invalid(`the matrix names ${axis} twice`);
    if (values.length === 0 || values.some((value) => value === ""))
      throw invalid(`the matrix names no value for ${axis}, or an empty one`);
    if (new Set(values).size < values.length) throw invalid(`the matrix names a value of ${axis} twice`);
    refuseGiven(axis, request, isGiven);
    if (parameter === undefined) checkVariants(values, taskfile);
    const isPath = isGiven && parameter?.kind === "path";
    axes.set(axis, isPath ? values.map((value) => path.resolve(cwd, value)) : values);
  }
  return axes;
}

function parameterNamed(name: string, taskfile: Taskfile): Parameter<unknown> {
  const parameters = parametersOf(taskfile);
  const found = parameters.find((one) => one.name === name || one.aliases?.includes(name));
  if (found === undefined) {
    const names = [variantAxis, ...parameters.map((one) => one.name)];
    throw invalid(`the matrix names "${printableName(name)}", which is no option`, didYouMean(name, names));
  }
  if (found.kind === "secret")
    throw invalid(`the matrix cannot vary --${found.name}: its values would be shown`);
  return found;
}

function checkVariants(values: readonly string[], { variants }: Taskfile): void {
  const names = Object.keys(variants);
  const unknown = values.find((value) => !names.includes(value));
  if (unknown !== undefined)
    throw invalid(
      `there is no variant "${printableName(unknown)}"`,
      didYouMean(unknown, names) ?? `use ${names.join(", ")}`,
    );
}

/** An axis of the command line and the same option beside it contradict one another. */
function refuseGiven(axis: string, { origins, variantOrigin, variant }: Request, isGiven: boolean): void {
  const origin = axis === variantAxis ? variantOrigin : origins.get(axis);
  if (origin?.from !== "command line" || !isGiven) return;
  const option = axis === variantAxis ? `--${variant}` : `--${axis}`;
  throw new UsageError(`--over ${axis} and ${option} exclude each other`, {
    code: "option-conflict",
    hint: "omit one of them",
  });
}

/**
 * What the user gave, as far as a variant takes it: one command line serves several variants. `note` is told what is left out.
 */
export function givenFor(
  variant: string,
  { given }: Pick<Request, "given">,
  parameters: readonly Parameter<unknown>[],
  note: (message: string) => void,
): OptionValues {
  const left = new Map(given);
  for (const parameter of parameters) {
    if (!given.has(parameter.name)) continue;
    try {
      parameter.check?.(variant);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      left.delete(parameter.name);
      note(`${error.message}; the ${variant} images do without it`);
    }
  }
  return left;
}

function invalid(message: string, hint?: string): UsageError {
  return new UsageError(message, {
    code: "matrix-invalid",
    hint: hint ?? "write it as --over variant=dev,prod --over layout=layered,single",
  });
}

/** Where in the source a task was defined, for messages and for the digest of its code. */

/** A place in loaded code: URL or path of the module as Node loaded it, line and column from 1. */
export interface SourceLocation {
  readonly module: string;
  readonly line: number;
  readonly column: number;
  /** Name of the function that holds the place; none at a module's own level. */
  readonly function?: string;
}

const framesKept = 6;

/** A frame as V8 describes it, as far as a location needs it. */
type Frame = Pick<NodeJS.CallSite, "getFileName" | "getFunctionName" | "getLineNumber" | "getColumnNumber">;

/**
 * The frames above a function, as positions, up to the one at a module's own level: the frames beyond belong to what
 * imports that module. Needs V8's structured stack, whose every answer costs a microsecond.
 */
export function callers(above: (...args: never[]) => unknown): readonly SourceLocation[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = framesKept;
    Error.prepareStackTrace = (_, frames) => frames;
    const holder: { stack?: unknown } = {};
    Error.captureStackTrace(holder, above);
    return locationsIn(holder.stack as readonly Frame[]);
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function locationsIn(frames: readonly Frame[]): readonly SourceLocation[] {
  const locations: SourceLocation[] = [];
  for (const [index, frame] of frames.entries()) {
    const module = frame.getFileName();
    if (module === null || module === undefined || module.startsWith("node:")) continue;
    const name = frame.getFunctionName();
    locations.push({
      module,
      line: frame.getLineNumber() ?? 1,
      column: frame.getColumnNumber() ?? 1,
      ...(name === null ? {} : { function: name }),
    });
    // esbuild wraps a module into a function of its name, which a function of its own, `__init`, calls.
    if (name === null || frames[index + 1]?.getFunctionName() === "__init") break;
  }
  return locations;
}

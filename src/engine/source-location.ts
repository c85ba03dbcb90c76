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

/** The frames above a function, as positions; needs V8's structured stack, costs some microseconds. */
export function callers(above: (...args: never[]) => unknown): readonly SourceLocation[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = framesKept;
    Error.prepareStackTrace = (_, frames) => frames;
    const holder: { stack?: unknown } = {};
    Error.captureStackTrace(holder, above);
    const frames = holder.stack as readonly NodeJS.CallSite[];
    return frames.flatMap((frame) => {
      const module = frame.getFileName();
      if (module === null || module === undefined || module.startsWith("node:")) return [];
      const name = frame.getFunctionName();
      return [
        {
          module,
          line: frame.getLineNumber() ?? 1,
          column: frame.getColumnNumber() ?? 1,
          ...(name === null ? {} : { function: name }),
        },
      ];
    });
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** What every command of the program is given. */
import type { ParameterValues, SourceFile, Workspace } from "../engine/index.ts";
import type { Request } from "./options/command-line.ts";
import type { FailureText } from "./output/failure.ts";
import type { RecordedOutput } from "./output/recorded-output.ts";
import type { Handover, Start, UpToDateRecord } from "./start.ts";
import type { Io } from "./terminal/io.ts";
import type { Style } from "./terminal/style.ts";

export interface Session {
  readonly io: Io;
  /** For standard error. */
  readonly style: Style;
  readonly failure: FailureText;
  readonly request: Request;
  readonly values: ParameterValues;
  readonly workspace: Workspace;
  /** There is no project: the Taskfile is the program's own. */
  readonly isOutside: boolean;
  /** The command line as others may see it. */
  readonly command: string;
  /** All that the program was compiled from. */
  readonly sources: readonly SourceFile[];
  /** The parameters' values as they would be for a program that starts now. */
  readonly freshValues: () => ParameterValues;
  /** The values of a combination of a matrix; `choices` are texts of options, as the user gives them. */
  readonly valuesWith: (variant: string, choices: ReadonlyMap<string, string>) => ParameterValues;
  readonly jobProgram: Start["jobProgram"];
  /** Makes a program of the sources as they are now. */
  readonly reload: Start["reload"];
  /** What this program goes on with, where it follows another one. */
  readonly continued: Handover | undefined;
  /** Notes that were shown before anything ran. */
  readonly noted: Set<string>;
  /** What was said so far, and which variables were asked for. */
  readonly recordedOutput: RecordedOutput;
  /** Where a build without anything to do may leave word of that. */
  readonly record: UpToDateRecord | undefined;
}

/** What every command of the program is given. */
import type { ParameterValues, Workspace } from "../engine/index.ts";
import type { Request } from "./command-line.ts";
import type { Io } from "./io.ts";
import type { Style } from "./style.ts";

export interface Session {
  readonly io: Io;
  /** For standard error. */
  readonly style: Style;
  readonly request: Request;
  readonly values: ParameterValues;
  readonly workspace: Workspace;
  /** The command line as others may see it. */
  readonly command: string;
}

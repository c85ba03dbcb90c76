/** The options that were given, as a command may write them down for a later build. */
import path from "node:path";
import type { GivenOption } from "../../engine/index.ts";
import { parametersOf } from "../options/option-table.ts";
import type { Session } from "../session.ts";

/** Secrets, and values that contain a password, are left out, and so is what the Taskfile itself sets. */
export async function givenOptions({ request, values, workspace }: Session): Promise<readonly GivenOption[]> {
  const root = workspace.state.workspace;
  const options: GivenOption[] = [];
  for (const parameter of parametersOf(workspace.taskfile)) {
    const { from } = request.origins.get(parameter.name) ?? { from: "built in" };
    if (from === "built in" || from === "Taskfile" || !(await values.mayBeRecorded(parameter))) continue;
    const value = await values.get(parameter);
    if (value === undefined || value === false || value === "") continue;
    const text = Array.isArray(value) ? value.join(",") : `${value}`;
    options.push({
      option: `--${parameter.name}`,
      ...(parameter.env === undefined ? {} : { env: parameter.env }),
      value:
        value === true
          ? true
          : parameter.kind === "path"
            ? path.relative(root, path.resolve(root, text))
            : text,
    });
  }
  return options;
}

/**
 * Failures as a CI service shows them: GitHub marks the line of the file that an error names, GitLab folds the output.
 * Forms: "Workflow commands for GitHub Actions", and "Custom collapsible sections" of GitLab's job logs.
 */
import { UserError } from "../../errors/index.ts";
import { headline } from "./failure.ts";

export interface CiNotes {
  /** A line for the service about a failure, or none. `task` is what failed. */
  readonly annotation: (error: unknown, task?: string) => string | undefined;
  /** Lines that begin and end a part of the log that is shown folded. */
  readonly fold: (title: string) => { readonly begin: string; readonly end: string };
}

/** What the service that the environment names wants; undefined elsewhere. `seconds` since 1970 is the time of now. */
export function ciNotes(
  env: Readonly<Record<string, string | undefined>>,
  seconds: () => number = () => Math.floor(Date.now() / 1000),
): CiNotes | undefined {
  if (env.GITHUB_ACTIONS === "true") {
    return {
      annotation: githubAnnotation,
      fold: (title) => ({ begin: `::group::${escapeData(title)}`, end: "::endgroup::" }),
    };
  }
  if (env.GITLAB_CI === "true") {
    let sections = 0;
    return {
      annotation: () => undefined,
      fold: (title) => {
        sections += 1;
        const name = `task_output_${sections}`;
        return {
          begin: `\u001b[0Ksection_start:${seconds()}:${name}[collapsed=true]\r\u001b[0K${title}`,
          end: `\u001b[0Ksection_end:${seconds()}:${name}\r\u001b[0K`,
        };
      },
    };
  }
  return undefined;
}

function githubAnnotation(error: unknown, task?: string): string {
  const { where = "", hint } = error instanceof UserError ? error : { where: undefined, hint: undefined };
  const [, file, line, column] = /^([^:]+):(\d+)(?::(\d+))?$/.exec(where) ?? [];
  const properties = [
    ...(file === undefined ? [] : [`file=${escapeProperty(file)}`, `line=${line}`]),
    ...(column === undefined ? [] : [`col=${column}`]),
    ...(task === undefined ? [] : [`title=${escapeProperty(task)}`]),
  ];
  const text = [headline(error), ...(hint === undefined ? [] : [`hint: ${hint}`])].join("\n");
  return `::error${properties.length === 0 ? "" : ` ${properties.join(",")}`}::${escapeData(text)}`;
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

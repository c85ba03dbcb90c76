/** Messages for a parameter value that changes during a build, such as the version when another commit is checked out. */
import { UserError } from "../../errors/index.ts";

/** The names as a list: `iso-version and source-date-epoch`. */
export function movedText(names: readonly string[]): string {
  return `${names.join(" and ")} changed while the build ran`;
}

/** The error when the values changed during every attempt, or where the build is not repeated. */
export function movedDuring(names: readonly string[]): UserError {
  return new UserError(`${movedText(names)}: the result no longer matches its name and was removed`, {
    code: "value-moved",
    hint: "run the build again, and do not change the checkout while it runs",
  });
}

/** The program's own version: the package's. */
import packageJson from "../../../package.json" with { type: "json" };

export const programVersion: string = packageJson.version;

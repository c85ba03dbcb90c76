/** The environment in which the program looks for tools. */
/** Variables of the caller that the program itself needs to find and try tools. */
const passedOn = ["PATH", "HOME", "TMPDIR", "USER", "LOGNAME"] as const;

/**
 * The environment in which tools are looked for and asked for their version: a fixed locale and time zone, and those of the
 * caller's variables without which tools do not work.
 */
export function toolEnvironment(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of passedOn) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  // Debian keeps mkfs, ldconfig and depmod out of a plain user's PATH.
  env.PATH = [env.PATH ?? "/usr/bin:/bin", "/usr/sbin", "/sbin"].join(":");
  return { ...env, LC_ALL: "C", LANG: "C", TZ: "UTC" };
}

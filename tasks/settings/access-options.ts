/** Who gets into an image and into its services: passwords, keys. Most of these are secrets. */
import { type Parameter, param, type Secret } from "../../src/engine/index.ts";
import { UsageError } from "../../src/errors/index.ts";

/** Password of variants that have one, unless the user says another; documented in the README. */
const defaultPassword = "test1234";

export const tcPassword: Parameter<Secret | undefined> = param.secret({
  name: "tc-passwd",
  short: "t",
  env: "MK_BUNDLE_TC_PASSWD",
  description: `password of the user tc in dev and debug images (default: ${defaultPassword}; -: prompt)`,
  value: "PASSWORD",
  default: (host) => {
    host.note(
      `the user tc has the default password, ${defaultPassword}; choose another with --tc-passwd-file or -t`,
    );
    return undefined;
  },
  accept: (text) => {
    if (text === "" || /[\0\r\n]/.test(text)) {
      throw new UsageError("the password is empty or has a line break", {
        code: "password-invalid",
        hint: "write it on one line",
      });
    }
  },
  check: (variant) => {
    if (variant !== "prod") return;
    throw new UsageError("a production image has no password: its user tc is locked", {
      code: "password-in-prod",
      hint: "omit -t/--tc-passwd, or build a dev or debug image",
    });
  },
});

/** How the password is hashed. The old scripts' md5crypt is for bases whose login has nothing newer. */
export const passwordHash: Parameter<string> = param.choice({
  name: "passwd-hash",
  env: "MK_BUNDLE_PASSWD_HASH",
  description: "hash of tc's password: sha512 (default), or md5 for an old Core",
  value: "KIND",
  choices: ["sha512", "md5"],
  default: "sha512",
  parse: (text, host) => {
    if (text === "md5") {
      host.note("--passwd-hash md5: such a hash is easy to crack; use it only if sha512 does not work");
    }
    return text;
  },
});

/** The password to use: the documented default unless one was given. */
export function passwordOrDefault(given: Secret | undefined): string {
  return given?.reveal() ?? defaultPassword;
}

const mcollectiveSecret = (what: string): Parameter<Secret | undefined> =>
  param.secret({
    name: `mcollective-${what}`,
    env: `MK_BUNDLE_MCOLLECTIVE_${what.toUpperCase()}`,
    description: `${what} of the MCollective daemon, for its server.cfg`,
    value: "TEXT",
    default: undefined,
    accept: (text) => {
      if (!/^[\x21-\x7e]+$/.test(text)) {
        throw new UsageError(`the MCollective ${what} is empty or has blanks or control characters`, {
          code: "mcollective-secret",
          hint: "use printable ASCII without blanks",
        });
      }
    },
  });

export const mcollectivePassword = mcollectiveSecret("password");
export const mcollectivePsk = mcollectiveSecret("psk");

export const devKeys: Parameter<string> = param.path({
  name: "dev-keys",
  description:
    "directory with host keys and salt for dev and debug images (default: dev-keys, created if absent)",
  value: "DIR",
  default: "dev-keys",
});

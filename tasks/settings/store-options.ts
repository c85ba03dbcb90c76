/** Where a release is published, and which key signs it. */
import { type Parameter, param } from "../../src/engine/index.ts";
import { UsageError } from "../../src/errors/index.ts";

export const verify: Parameter<string> = param.text({
  name: "verify",
  description: "with store: check the release that is published there, as a user would",
  value: "DEST",
  default: "",
});

export const signing: Parameter<string> = param.text({
  name: "sign",
  description: "with store: sign with this key: gpg:NAME, or minisign:FILE",
  value: "KEY",
  env: "MK_BUNDLE_SIGN",
  default: "",
});

export const passwordFd: Parameter<string> = param.text({
  name: "password-fd",
  description: "with store: read the key's password from this file descriptor",
  value: "N",
  default: "",
  parse: (text) => {
    if (/^\d{1,3}$/.test(text)) return text;
    throw new UsageError(`"${text}" is not the number of a file descriptor`, {
      code: "signing-key",
      hint: "write for example --password-fd 3 3<FILE",
    });
  },
});

export const publicKey: Parameter<string> = param.path({
  name: "public-key",
  description: "with store --verify: check the signature by this public key, of gpg or minisign",
  value: "FILE",
  default: "",
});

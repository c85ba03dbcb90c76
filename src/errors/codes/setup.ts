import type { ErrorArea } from "./explanation.ts";

/** Starting the program, and the scripts `npm run quickstart`, `verify`, `fresh` and `newer-nodes`. */
export const setupErrors = {
  "check-revision": {
    meaning: "`npm run check` was given a revision that git does not know.",
    remedy: "Name a branch, tag or commit: `npm run check -- main`.",
  },
  "checkout-clone": {
    meaning: "The checkout cannot be cloned for a test with another Node.",
    remedy: "Run the command in a git checkout.",
  },
  "compile-failed": {
    meaning: "The Taskfile or a task does not compile.",
    remedy: "Correct the code at the place that the message shows.",
  },
  "compile-unwritable": {
    meaning: "The compiled program cannot be written, or was changed while it started.",
    remedy: "Free disk space, and run the command again.",
  },
  "directory-missing": {
    meaning: "The current directory no longer exists.",
    remedy: "Change into the project's directory.",
  },
  "directory-name": {
    meaning:
      "The path of the project has a backslash, or is not valid UTF-8. Node loads no modules from there.",
    remedy: "Rename the directory.",
  },
  "fresh-machine": {
    meaning: "A minimal machine for `npm run fresh` cannot be made.",
    remedy: "Use Debian or Ubuntu, as root, with access to apt's archive.",
  },
  "fresh-usage": {
    meaning: "`npm run fresh` needs a command to run.",
    remedy: "Run `npm run fresh -- COMMAND`.",
  },
  interrupted: {
    meaning: "A signal or Ctrl-C stopped the script.",
    remedy: "Run it again. Finished steps are kept.",
  },
  "modules-missing": {
    meaning: "The npm packages of the project are not installed.",
    remedy: "Run `npm run quickstart` or `npm ci`.",
  },
  "node-release": {
    meaning: "The requested Node release does not exist or cannot be downloaded.",
    remedy: "Write a major version such as `24`, and check that npm's registry is reachable.",
  },
  "node-too-old": {
    meaning: "The program needs a newer Node.",
    remedy: "Install a newer Node from nodejs.org or your distribution's backports.",
  },
  "npm-failed": {
    meaning: "`npm ci` failed.",
    remedy:
      "Check the network. `https_proxy` names a proxy, NODE_EXTRA_CA_CERTS the file of a certificate authority.",
  },
  "packages-failed": {
    meaning: "The package manager cannot install the missing programs.",
    remedy: "Follow the hint, or install the packages yourself.",
  },
  "programs-missing": {
    meaning: "Programs that the script needs are not installed.",
    remedy: "Install the packages that the message lists, and run the command again.",
  },
  "root-needed": {
    meaning: "Only root can install programs, and sudo is not available.",
    remedy: "Run the listed commands as root, then run the script again.",
  },
} satisfies ErrorArea;

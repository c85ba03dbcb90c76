import type { ErrorArea } from "./explanation.ts";

/** Options, commands, secrets, completion and `task init`. */
export const commandLineErrors = {
  "arguments-unexpected": {
    meaning: "Arguments follow `--`, but the task takes none.",
    remedy:
      "Write options before the `--`. A task accepts arguments if it declares `param.arguments({ … })`.",
  },
  "boot-nothing": {
    meaning: "`--boot` is given, but no target of this build makes an ISO.",
    remedy: "Name a target that makes an ISO, or omit `--boot`.",
  },
  "cache-usage": {
    meaning: "`task cache` does not have the action that was given.",
    remedy: "Use `task cache stats`, `gc`, `verify` or `clear`.",
  },
  "completion-home": {
    meaning: "`HOME` does not name a directory, so the completion script has no place to go.",
    remedy: "Set `HOME`, or save the output of `task completion {shell}` where your shell reads it.",
  },
  "completion-shell": {
    meaning: "No completion exists for this shell.",
    remedy: "Name a supported shell: `task completion install bash`, `zsh` or `fish`.",
  },
  "completion-taken": {
    meaning:
      "A file that another program wrote stands at the place of the completion script. It is not overwritten.",
    remedy: "Move that file away, or save the output of `task completion {shell}` elsewhere.",
  },
  "completion-unreadable": {
    meaning: "The shell's start-up file or the completion script cannot be read.",
    remedy: "Make the file readable for your user.",
  },
  "completion-unwritable": {
    meaning: "The completion script cannot be written. Nothing else was changed.",
    remedy: "Make the directory writable for your user.",
  },
  "completion-usage": {
    meaning: "`task completion` does not accept these arguments.",
    remedy: "Run `task completion install`, or `task completion {shell}`.",
  },
  "config-expansion": {
    meaning:
      "A value in a KEY=value file holds `$`, a backquote or a backslash, which are not expanded there.",
    remedy: "Write the value out, or put it in single quotes to keep the character.",
  },
  "config-key": {
    meaning: "A KEY=value file sets a key that does not exist.",
    remedy: "Use one of the keys that the hint lists.",
  },
  "config-syntax": {
    meaning: "A line of a KEY=value file is not `KEY=value`, or its value needs quotes.",
    remedy: "Write one KEY=value per line. Put values with blanks or shell characters in single quotes.",
  },
  "config-unreadable": {
    meaning: "The file that `--config` names cannot be read.",
    remedy: "Check the name and the permissions of the file.",
  },
  "diff-ignore": {
    meaning: "`task diff --ignore` does not know the kind of difference.",
    remedy: "Use `--ignore times`.",
  },
  "file-too-large": {
    meaning: "A file with settings or a secret is larger than 1 MiB.",
    remedy: "Check the file name.",
  },
  "format-unknown": {
    meaning: "The command does not have this output format.",
    remedy: "Use one of the formats that the message lists.",
  },
  "graph-format": {
    meaning: "`task graph` does not have this output format.",
    remedy: "Use one of the formats that the message lists.",
  },
  "executor-invalid": {
    meaning:
      "The executor does not exist, its number of jobs is none, or it has no remote cache to exchange contents through.",
    remedy: "Use `--executor slurm` with `--remote-cache URL --remote-upload`, or omit it.",
  },
  "graph-usage": {
    meaning: "`task graph` accepts at most one target.",
    remedy: "Name one target, or none for the whole graph.",
  },
  "init-module-type": {
    meaning:
      "The directory's `package.json` is for CommonJS modules, and a Taskfile is an ES module. Nothing was changed.",
    remedy: "Run `npm pkg set type=module`, then `task init` again, or name another directory.",
  },
  "init-secret": {
    meaning:
      "The source for `task init` has a password in its URL, and a Taskfile shows its defaults to all readers.",
    remedy: "Omit `--source` here, and give it to each build, or set it in the environment.",
  },
  "init-taken": {
    meaning: "`task init` found files of a project in the directory. Nothing was changed.",
    remedy: "Name another directory: `task init DIRECTORY`.",
  },
  "init-unwritable": {
    meaning: "`task init` cannot write the new project.",
    remedy: "Free disk space, make the directory writable, or name another one.",
  },
  "jobs-invalid": {
    meaning: "The value of `--jobs` is not a positive integer.",
    remedy: "Write a positive integer, or omit the option to run one job per core.",
  },
  "log-missing": {
    meaning: "No output is kept: nothing was built yet, or the last build did not run this target.",
    remedy: "Build the target, then run `task log` again.",
  },
  "name-taken": {
    meaning: "A target has the name of a built-in command, which would hide it.",
    remedy: "Rename the target.",
  },
  "no-json": {
    meaning: "The command writes the bytes of a file, so it has no JSON output.",
    remedy: "Omit `--json`.",
  },
  "no-project": {
    meaning:
      "The command needs a project, and neither the current directory nor one above it has a Taskfile.ts.",
    remedy: "Change into the directory of a project, or make a project with `task init`.",
  },
  "matrix-invalid": {
    meaning: "`task matrix` has no axis, or one that cannot vary, no values, or too many combinations.",
    remedy: "Name each axis once with its values: `--over variant=dev,prod --over layout=layered,single`.",
  },
  "option-conflict": {
    meaning: "Two options or an option and a command exclude each other.",
    remedy: "Omit one of them, as the hint says.",
  },
  "option-taken": {
    meaning: "Two options share a flag, or two parameters share a name.",
    remedy: "Rename one of them, or define the parameter once and use it in both places.",
  },
  "option-unknown": {
    meaning: "The option does not exist.",
    remedy: "Check the spelling. `task --help` and `task {target} --help` list the options.",
  },
  "option-value-missing": {
    meaning: "The option needs a value.",
    remedy: "Write the value after the option, or as `--option=value`.",
  },
  "output-unwritable": {
    meaning: "Standard output cannot be written, for example because its disk is full.",
    remedy: "Redirect standard output elsewhere.",
  },
  "parameter-choice": {
    meaning: "The value is not one of the choices of this option.",
    remedy: "Use one of the values that the message lists.",
  },
  "remote-cache-invalid": {
    meaning: "The URL, the instance, the header or the time limit of the remote cache is not valid.",
    remedy: "Correct the option, the variable or the Taskfile's `cache.remote`; docs/remote.md shows them.",
  },
  "remote-key-unknown": {
    meaning:
      "`task why --against` cannot compare: the server has no result with this key, or the key of the task here is not known before what it needs is built.",
    remedy:
      "Take the key that `task why TARGET` prints on the other machine, which must upload its results; build what the task needs.",
  },
  "report-unwritable": {
    meaning: "A report such as `--summary` or `--trace` cannot be written to the file that was named.",
    remedy: "Name a file in an existing, writable directory.",
  },
  "revision-unknown": {
    meaning: "Git does not know the revision, or cannot compare it with the working tree.",
    remedy: "Name a commit, branch or tag of this repository.",
  },
  "secret-cancelled": {
    meaning: "The prompt for a secret was cancelled.",
    remedy: "Answer the prompt, or name a file that holds the secret.",
  },
  "secret-encoding": {
    meaning: "The secret is not valid UTF-8.",
    remedy: "Save it as UTF-8. A password with other bytes cannot be typed at the login prompt.",
  },
  "secret-file": {
    meaning: "A secret file does not consist of exactly one line.",
    remedy: "Write the secret, and nothing else, on the first line of the file.",
  },
  "secret-input": {
    meaning: "Standard input is requested for two secrets, or does not contain the secret.",
    remedy: "Put one secret into a file, or write the secret followed by a line break to standard input.",
  },
  "secret-mistyped": {
    meaning: "The two answers to the prompt differ.",
    remedy: "Run the command again.",
  },
  "secret-twice": {
    meaning: "The same secret is given as a value and as a file.",
    remedy: "Omit one of the two options.",
  },
  "secret-unreadable": {
    meaning: "A secret file cannot be read.",
    remedy: "Check the name and the permissions of the file.",
  },
  "target-command": {
    meaning: "The target is a command, which always runs and has no outputs. It cannot be used here.",
    remedy: "Name a target that makes something. `task list` shows them.",
  },
  "target-unknown": {
    meaning: "The Taskfile has no target of this name.",
    remedy: "Check the spelling. `task list` shows the targets.",
  },
  "task-interactive": {
    meaning: "The task needs the terminal, which a watch or `--json` uses itself.",
    remedy: "Omit `-w` or `--json`.",
  },
  "unknown-flavour": {
    meaning: "There is no flavour of this name.",
    remedy: "Use one of the names in the message.",
  },
  "unknown-template": {
    meaning: "`task init` has no template of this name.",
    remedy: "Use a template that the hint lists.",
  },
  usage: {
    meaning: "The command was called with wrong or missing arguments.",
    remedy: "Follow the usage line in the hint. `task {command} --help` explains the command.",
  },
  "variable-unknown": {
    meaning:
      "A variable of the environment has a name that begins like those of the options, and no option reads it.",
    remedy: "Correct the name as the hint suggests, or unset the variable.",
  },
  "variant-conflict": {
    meaning: "Options for more than one variant are given.",
    remedy: "Keep one of them.",
  },
  "variant-unknown": {
    meaning: "The environment or a settings file names a variant that the Taskfile does not have.",
    remedy: "Use one of the variants that the message lists, or unset the value.",
  },
  "watch-command": {
    meaning: "The target is a command, which cannot be watched because it always runs.",
    remedy: "Watch tasks only.",
  },
  "watch-target": {
    meaning: "`--watch` is given without a target, and there is no terminal for the menu.",
    remedy: "Name the target: `task TARGET --watch`.",
  },
} satisfies ErrorArea;

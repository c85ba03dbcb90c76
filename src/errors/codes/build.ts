import type { ErrorArea } from "./explanation.ts";

/** Inputs, outputs, commands, the cache and the watch. */
export const buildErrors = {
  "audit-impossible": {
    meaning: "`--audit` and `--strict` trace commands with strace, which is not allowed here.",
    remedy: "Install strace and allow tracing. Containers often forbid it.",
  },
  "blob-damaged": {
    meaning: "A downloaded file in the cache was damaged. It was removed from the cache.",
    remedy: "Run the build again: the file is downloaded again.",
  },
  "build-never-settled": {
    meaning: "The build waits for something that can no longer happen.",
    remedy: "Make sure that every function that computes an input or a parameter settles its promise.",
  },
  "cache-not-writable": {
    meaning: "The cache directory cannot be written.",
    remedy: "Free disk space, or make the workspace writable for your user. Earlier results are kept.",
  },
  "command-too-long": {
    meaning: "A command line is longer than the system allows.",
    remedy: "Pass the names through a file or a pipe, as `xargs` and `cpio` read them.",
  },
  "content-changed": {
    meaning: "A file changed while the build was reading it.",
    remedy: "Run the build again when no program writes to the file any more.",
  },
  "input-link": {
    meaning: "A symlink in an input leads out of the workspace, into the cache, to a device or into a loop.",
    remedy:
      'Declare the target of the link as an input of its own, exclude the link, or write `links: "keep"` if the task never follows it.',
  },
  "input-missing": {
    meaning: "An input file does not exist, or no file matches an input's patterns.",
    remedy: "Check the name, or restore the file.",
  },
  "input-name": {
    meaning: "The name of an input file is not valid UTF-8.",
    remedy: "Rename the file. `find . | grep -axv '.*'` lists such names.",
  },
  "input-type": {
    meaning:
      "An input is a directory where a file is expected, a file where a directory is expected, or a special file.",
    remedy: "Name a regular file or a directory as the hint says.",
  },
  "job-failed": {
    meaning: "A task that ran on a node of the cluster failed there, or could not run there.",
    remedy: "Read its output. Without `--executor` the task runs on this machine.",
  },
  "no-space": {
    meaning: "The disk is full, or the disk quota is exceeded.",
    remedy:
      "Free disk space (`task clean --all` empties the cache) and run the build again. Earlier results are kept.",
  },
  "node-differs": {
    meaning:
      "A node of the cluster has another version of a program than this machine, or finds other inputs.",
    remedy:
      "Install the same packages on all nodes and here, or exclude the node with an option of the scheduler.",
  },
  "not-readable": {
    meaning: "A file of the build cannot be read.",
    remedy: "Check the owner and mode of the file and of the directories above it.",
  },
  "not-writable": {
    meaning: "A file of the build cannot be written.",
    remedy: "Check the owner and mode of the directory.",
  },
  "option-missing": {
    meaning: "A task reads a file that an option names, and the option is not set.",
    remedy: "Add the option that the hint shows.",
  },
  "output-blocked": {
    meaning: "The directory of an output cannot be created because another file has its name.",
    remedy: "Move that file away.",
  },
  "output-escapes": {
    meaning: "The directory of an output is a symlink that leaves the workspace.",
    remedy:
      "Replace the symlink by a directory (a bind mount may put it on another disk), or move its target into the workspace.",
  },
  "output-link": {
    meaning: "An output contains a symlink that leads out of the output.",
    remedy: "Make its target relative and inside the output, copy the target, or pack it into an archive.",
  },
  "output-name": {
    meaning: "A file name in an output is not valid UTF-8.",
    remedy: "Rename the file, or pack it into an archive, where names may be any bytes.",
  },
  "output-not-made": {
    meaning: "The task did not create its declared output.",
    remedy: "Make the task's `run` function write every declared output.",
  },
  "output-too-long": {
    meaning: "A command printed more than a task may read into memory.",
    remedy: "Redirect the output of the command to a file.",
  },
  "output-type": {
    meaning: "An output is a device, a socket or a pipe.",
    remedy: "Write files, directories or symlinks. Put devices into an archive.",
  },
  "output-undeclared": {
    meaning: "The task wrote a file that is not a declared output.",
    remedy: "Write intermediate files to the scratch directory, or declare the output.",
  },
  "project-error": {
    meaning: "A task of the project failed with a message of its own.",
    remedy: "Follow the message and the hint. Both come from the project's own code.",
  },
  "slurm-missing": {
    meaning: "`--executor slurm` needs `srun`, which cannot be started.",
    remedy: "Install Slurm's client programs and their configuration, or omit the option.",
  },
  "task-never-settled": {
    meaning: "The task's function waits for something that can no longer happen.",
    remedy: "Make sure that the promise that the function returns is resolved or rejected.",
  },
  "task-timeout": {
    meaning: "The task did not finish within its timeout.",
    remedy: "Raise the timeout, or find out with `--verbose` what the task waits for.",
  },
  "task-unresponsive": {
    meaning: "The task's function did not stop after it was cancelled.",
    remedy: "Pass the function's `signal` to everything that it waits for.",
  },
  "tool-missing": {
    meaning: "A program that the build needs is not installed.",
    remedy: "Install it as the hint says. `task doctor` lists every program that the build uses.",
  },
  "tool-unreadable": {
    meaning: "A program that the task declares cannot be read, so it cannot be fingerprinted.",
    remedy: "Make the program readable for your user, or install it again.",
  },
  "undeclared-access": {
    meaning: "With `--strict`: the task's commands or code used files that the task does not declare.",
    remedy: "Declare the files as inputs or outputs, or work in the scratch directory.",
  },
  "value-moved": {
    meaning:
      "A value such as the version changed during the build, so the result no longer matched its name and was removed.",
    remedy: "Run the build again, and do not change the checkout while it runs.",
  },
  "watch-limit": {
    meaning: "The system does not watch more directories for this user.",
    remedy: "Raise fs.inotify.max_user_watches and fs.inotify.max_user_instances with sysctl.",
  },
  "watch-loop": {
    meaning: "The watch stopped because each build changes its own inputs.",
    remedy: "Write only to outputs and the scratch directory.",
  },
} satisfies ErrorArea;

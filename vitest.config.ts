import { defineConfig } from "vitest/config";

/** Whole builds and virtual machines. */
const pipeline = ["test/pipeline/**/*.test.ts", "test/sample-base.test.ts"];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: pipeline,
          // By default a machine with two cores runs one file at a time, and most of these wait for other processes.
          maxWorkers: "100%",
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        // When all else has passed by. A virtual machine keeps one processor busy, and each worker has a workspace of its own.
        test: {
          name: "pipeline",
          include: pipeline,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 300_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});

import { defineConfig } from "vitest/config";

const pipeline = ["test/pipeline/**/*.test.ts"];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: pipeline,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Whole builds and virtual machines, one file after the other in one workspace, when all else has passed by.
        test: {
          name: "pipeline",
          include: pipeline,
          fileParallelism: false,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
          testTimeout: 300_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});

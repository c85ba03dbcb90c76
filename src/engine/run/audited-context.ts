/** The context of an audited task: what the engine does for the task is not counted as done by the task's code. */
import type { Shell } from "../../host/index.ts";
import type { AnyTaskContext, Chunk, SparsePiece } from "../define/task-context-types.ts";
import type { AccessRecord, CodeAccesses } from "./code-access.ts";

/** The same context, for code that runs inside of `accesses`. Paths that it hands over count as touched by it. */
export function auditedContext(
  context: AnyTaskContext,
  accesses: CodeAccesses,
  record: AccessRecord,
): AnyTaskContext {
  const { memo, join, writeSparse, digest, blobs, share, $ } = context;
  const outside = <T>(work: () => T): T => accesses.outside(work);
  const note = (kind: "read" | "wrote", file: string): void => accesses.note(kind, file, record);
  const noteChunks = (chunks: readonly (Chunk | SparsePiece)[]): void => {
    for (const chunk of chunks) if ("file" in chunk) note("read", chunk.file);
  };
  return {
    ...context,
    $: shellOutside($, outside),
    memo: (key, make) => outside(() => memo(key, (file) => accesses.inside(record, () => make(file)))),
    join: (target, chunks) => {
      note("wrote", target);
      noteChunks(chunks);
      return outside(() => join(target, chunks));
    },
    writeSparse: (target, size, pieces) => {
      note("wrote", target);
      noteChunks(pieces);
      return outside(() => writeSparse(target, size, pieces));
    },
    digest: (chunks) => {
      noteChunks(chunks);
      return outside(() => digest(chunks));
    },
    blobs: {
      has: (sha256) => outside(() => blobs.has(sha256)),
      pathOf: (sha256) => outside(() => blobs.pathOf(sha256)),
      copyOut: (sha256, target) => {
        note("wrote", target);
        return outside(() => blobs.copyOut(sha256, target));
      },
      adopt: (file, sha256) => {
        // It is moved away.
        note("wrote", file);
        return outside(() => blobs.adopt(file, sha256));
      },
      retrieve: (sha256, size) => outside(() => blobs.retrieve(sha256, size)),
      offer: (sha256, size) => outside(() => blobs.offer(sha256, size)),
    },
    share: (kind, argument) => outside(() => share(kind, argument)),
  };
}

/** The shell: commands are seen by the tracer. */
function shellOutside(shell: Shell, outside: <T>(work: () => T) => T): Shell {
  return new Proxy(shell, {
    apply: (target, self, args: readonly unknown[]) => {
      const result: unknown = outside(() => Reflect.apply(target, self, [...args]));
      // With options it returns a shell.
      return typeof result === "function" ? shellOutside(result as Shell, outside) : result;
    },
  });
}

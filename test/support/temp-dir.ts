/** A folder of our own under the system's temp folder, gone when removed or, at the latest, when this process is gone. */
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { guard } from "./guardian.ts";

export interface TempDir {
  readonly path: string;
  remove(): Promise<void>;
}

export function createTempDir(label = "test"): TempDir {
  const path = mkdtempSync(join(tmpdir(), `heistwatch-${label}-`));
  const release = guard({ kind: "folder", path });
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
      release();
    },
  };
}

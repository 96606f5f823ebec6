/** The same core run by Node as it stands: slower, and easy to step through. Tests and the bench hold both to one answer. */
import { bindMemory } from "./core/memory.ts";
import { scan } from "./core/scan.ts";
import type { MakeCore } from "./scanner-core.ts";

export const typescriptCore: MakeCore = (memory) => ({
  scan(question) {
    bindMemory(memory.buffer);
    return scan(question);
  },
});

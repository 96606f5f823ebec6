/** What nodes were caught at: written once, never changed. */
import type { Evidence } from "../types/nodes.ts";
import type { Db } from "./database.ts";

export interface EvidenceStore {
  add(evidence: Evidence): Promise<void>;
  /** Newest first, of one node. */
  list(of: { node: string; limit: number }): Promise<Evidence[]>;
}

export function createEvidenceStore(db: Db): EvidenceStore {
  return {
    add: async (evidence) => void (await db.insertInto("evidence").values(evidence).execute()),
    list: ({ node, limit }) =>
      db
        .selectFrom("evidence")
        .select(["chain", "node", "operator", "at", "why", "asked", "answered"])
        .where("node", "=", node)
        .orderBy("id", "desc")
        .limit(limit)
        .execute(),
  };
}

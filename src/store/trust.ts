/**
 * Hits of blocks that operators disagree about, and blocks an operator has yet to name. All inside the transaction of
 * the chain's leader.
 */
import type { Kysely, Transaction } from "kysely";
import type { BlockRef, BlockTrust } from "../types/chain.ts";
import type { ScannedBlock, UncheckedBlock } from "../types/checkpoint.ts";
import type { HitBlock, HitEventKind } from "../types/hit.ts";
import { encodeHit } from "./codec.ts";
import { vouchCoverage } from "./coverage.ts";
import { addHitEvents, hitBlock, knownHits, type NewHitEvent, writeHits } from "./hit-rows.ts";
import { inChunks } from "./outbox.ts";
import { waitAgain } from "./pending-moves.ts";
import type { Database, HitTable } from "./schema.ts";

type PlacedHit = Pick<HitTable, "hit_id" | "alert_id" | "tx_hash" | "block_number" | "block_hash" | "recorded_rule">;
const PLACED = ["hit_id", "alert_id", "tx_hash", "block_number", "block_hash", "recorded_rule"] as const;

/** Hits of a disputed block that stand in no other. One that stands already is told where it stands. */
export async function storeDisputed(
  trx: Transaction<Database>,
  commit: { scanned: readonly ScannedBlock[]; headNumber: number; now: number },
): Promise<void> {
  const writes = commit.scanned.flatMap((scanned) => scanned.hits.map((hit) => ({ hit, scanned })));
  for (const chunk of inChunks(writes)) {
    const known = await knownHits(trx, chunk);
    // The same movement on two sides is one hit: the first one read tells it.
    const first = new Map(chunk.toReversed().map((write) => [write.hit.hitId, write]));
    const fresh = [...first.values()].filter(({ hit }) =>
      ["removed", "pending"].includes(known.get(hit.hitId)?.state ?? "removed"),
    );
    const placed = fresh.map(({ hit, scanned }) => ({
      scanned,
      hit: { ...hit, alertId: known.get(hit.hitId)?.alert_id ?? hit.alertId },
    }));
    await writeHits(trx, placed, { state: "disputed", headNumber: commit.headNumber, now: commit.now });
    const told = placed.filter(({ hit }) => hit.recordedOnly === null);
    await addHitEvents(
      trx,
      told.map(({ hit, scanned }) => ({
        hitId: hit.hitId,
        alertId: hit.alertId,
        kind: "disputed",
        block: hitBlock(scanned, commit.headNumber),
        payload: encodeHit(hit),
        trust: JSON.stringify(scanned.block.trust),
        late: scanned.late,
      })),
      commit.now,
    );
  }
}

/** Our own hits in blocks that another operator names differently. */
export async function doubtHits(
  trx: Transaction<Database>,
  { chain, above, now }: { chain: string; above: number; now: number },
): Promise<void> {
  const rows = await trx
    .updateTable("hit")
    .set({ state: "disputed" })
    .where("chain", "=", chain)
    .where("state", "=", "included")
    .where("block_number", ">", above)
    .returning(PLACED)
    .execute();
  await tell(trx, rows, { kind: "disputed", trust: null, now });
}

/**
 * Disputed hits up to the agreed height: those in a block of the checkpoint stand again, the others were on the losing
 * side.
 */
export async function settleDisputed(
  trx: Transaction<Database>,
  { chain, upTo, now }: { chain: string; upTo: number; now: number },
): Promise<void> {
  const disputed = await trx
    .selectFrom("hit")
    .leftJoin("checkpoint", (join) =>
      join
        .onRef("checkpoint.chain", "=", "hit.chain")
        .onRef("checkpoint.number", "=", "hit.block_number")
        .onRef("checkpoint.hash", "=", "hit.block_hash"),
    )
    .select(["hit.hit_id", "checkpoint.hash as agreed_hash"])
    .where("hit.chain", "=", chain)
    .where("hit.state", "=", "disputed")
    .where("hit.block_number", "<=", upTo)
    .execute();
  const won = disputed.filter((row) => row.agreed_hash !== null).map((row) => row.hit_id);
  const lost = disputed.filter((row) => row.agreed_hash === null).map((row) => row.hit_id);
  for (const [ids, state] of [
    [won, "included"],
    [lost, "removed"],
  ] as const) {
    for (const chunk of inChunks(ids)) {
      const rows = await trx.updateTable("hit").set({ state }).where("hit_id", "in", chunk).returning(PLACED).execute();
      await tell(trx, rows, { kind: state === "included" ? "agreed" : "removed", trust: null, now });
      if (state === "removed") await waitAgain(trx, { chain, hashes: rows.map((row) => row.tx_hash), now });
    }
  }
}

async function tell(
  trx: Transaction<Database>,
  rows: readonly PlacedHit[],
  of: { kind: HitEventKind; trust: BlockTrust | null; now: number },
): Promise<void> {
  const told = rows
    .filter((row) => row.recorded_rule === null)
    .map((row) => ({ ...row, block_number: row.block_number ?? -1, block_hash: row.block_hash ?? "" }))
    .toSorted((a, b) => a.block_number - b.block_number || (a.hit_id < b.hit_id ? -1 : 1));
  await addHitEvents(
    trx,
    told.map(
      (row): NewHitEvent => ({
        hitId: row.hit_id,
        alertId: row.alert_id,
        kind: of.kind,
        block: JSON.stringify({
          number: row.block_number,
          hash: row.block_hash,
          timestamp: 0,
          confirmations: 0,
        } satisfies HitBlock),
        payload: null,
        trust: of.trust === null ? null : JSON.stringify(of.trust),
        late: false,
        reason: of.kind === "removed" ? "reorg" : null,
      }),
    ),
    of.now,
  );
}

/** Remembers who did not name the blocks just scanned. */
export async function addUnchecked(
  trx: Transaction<Database>,
  chain: string,
  scanned: readonly ScannedBlock[],
): Promise<void> {
  const rows = scanned.flatMap(({ block: { number, hash, trust } }) =>
    trust.missing.map((operator) => ({ chain, number, operator, hash })),
  );
  for (const chunk of inChunks(rows)) await trx.insertInto("unchecked").values(chunk).execute();
}

/** Blocks above left the chain. */
export async function cutUnchecked(trx: Transaction<Database>, chain: string, number: number): Promise<void> {
  await trx.deleteFrom("unchecked").where("chain", "=", chain).where("number", ">", number).execute();
}

export function listUnchecked(
  db: Kysely<Database>,
  of: { chain: string; operator: string; contradicted: boolean; limit: number },
): Promise<UncheckedBlock[]> {
  return db
    .selectFrom("unchecked")
    .select(["number", "hash", "operator", "contradicted"])
    .where("chain", "=", of.chain)
    .where("operator", "=", of.operator)
    .where("contradicted", "=", of.contradicted)
    .orderBy("number")
    .limit(of.limit)
    .execute();
}

export async function checkBlocks(
  trx: Transaction<Database>,
  of: {
    chain: string;
    operator: string;
    vouched: readonly BlockRef[];
    contradicted: readonly BlockRef[];
    now: number;
  },
): Promise<void> {
  const { chain, operator, now } = of;
  const ours = (numbers: readonly number[]) =>
    trx
      .selectFrom("hit")
      .select(PLACED)
      .where("chain", "=", chain)
      .where("state", "in", ["included", "final"])
      .where("block_number", "in", numbers);
  const named = async (blocks: readonly BlockRef[], kind: "vouched" | "contradicted") => {
    const hashes = new Set(blocks.map(({ hash }) => hash));
    const rows = await ours(blocks.map(({ number }) => number)).execute();
    const hits = rows.filter((row) => row.block_hash !== null && hashes.has(row.block_hash));
    await tell(trx, hits, { kind, trust: aboutOperator(operator, kind), now });
  };
  for (const chunk of inChunks(of.vouched)) {
    await trx
      .deleteFrom("unchecked")
      .where("chain", "=", chain)
      .where("operator", "=", operator)
      .where(
        "number",
        "in",
        chunk.map(({ number }) => number),
      )
      .execute();
    for (const { number } of chunk) await vouchCoverage(trx, { chain, operator, number });
    await named(chunk, "vouched");
  }
  for (const chunk of inChunks(of.contradicted)) {
    await trx
      .updateTable("unchecked")
      .set({ contradicted: true })
      .where("chain", "=", chain)
      .where("operator", "=", operator)
      .where(
        "number",
        "in",
        chunk.map(({ number }) => number),
      )
      .execute();
    await named(chunk, "contradicted");
  }
}

function aboutOperator(operator: string, kind: "vouched" | "contradicted"): BlockTrust {
  const nobody = { proven: false, operators: [], missing: [], traced: false };
  return kind === "vouched" ? { ...nobody, operators: [operator] } : { ...nobody, disputing: [operator] };
}

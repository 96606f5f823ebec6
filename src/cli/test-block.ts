/** `heistwatch test`: one block through match and fold, as the daemon would tell it. Stores and sends nothing. */
import { foldAlert } from "../alerts/fold.ts";
import { createChainPool } from "../chains/registry.ts";
import { foldContext } from "../daemon/fold-context.ts";
import { systemClock } from "../lib/clock.ts";
import { UnavailableError } from "../lib/errors.ts";
import { matchBlock } from "../match/match-block.ts";
import type { Block } from "../types/chain.ts";
import type { Hit, HitEvent } from "../types/hit.ts";
import { chainNamed, EXIT, type GlobalOptions, readConfig } from "./context.ts";
import { describeListsInUse, listsInUse } from "./stored-lists.ts";
import { paint, paintSeverity, print, printJson, SILENT_LOG } from "./output.ts";

export async function testBlock(options: GlobalOptions & { chain: string; block: number }): Promise<number> {
  const config = readConfig(options);
  const chain = chainNamed(config, options.chain);
  const used = await listsInUse(config);
  const { lists } = used;
  const adapter = createChainPool({
    chain,
    log: SILENT_LOG,
    now: () => systemClock.now(),
    onLie: () => undefined,
  });
  try {
    const signal = AbortSignal.timeout(120_000);
    const header = await adapter.headerAt(options.block, signal);
    const block = header === null ? null : await adapter.blockOf(header, signal);
    if (block === null) throw new UnavailableError(`the node does not have block ${options.block} of ${chain.name}`);
    const hits = matchBlock(block, { chain: chain.id, watchlist: lists.watchlist, tokens: lists.tokens });
    const bodies = foldInMemory(block, hits, config);
    const recorded = hits.filter((hit) => hit.recordedOnly !== null);
    if (options.json === true) {
      printJson({
        block: { number: block.number, hash: block.hash },
        lists: { from: used.from, revision: lists.revision, why: used.why },
        transfers: block.transfers.length,
        alerts: bodies,
        recordedOnly: recorded.map(recordedOf),
      });
      return EXIT.ok;
    }
    print(
      `Block ${block.number} of ${chain.name}: ${block.transfers.length} transfers, ${hits.length} hits, ${bodies.length} alerts, ${recorded.length} only recorded. Nothing was stored or sent.`,
    );
    print(`Lists ${describeListsInUse(used)}.`);
    for (const body of bodies) {
      const { data } = body as { data: { severity: string; action: string; summary: string } };
      print(`\n${paintSeverity(data.severity)} (action: ${data.action}) ${data.summary}`);
      print(paint("gray", JSON.stringify(body, null, 2)));
    }
    for (const hit of recorded)
      print(
        `\nrecorded only, ${hit.recordedOnly?.rule}: ${hit.transfer.txHash} ${hit.transfer.key}: ${hit.recordedOnly?.reason}`,
      );
    return EXIT.ok;
  } finally {
    await adapter.close();
  }
}

function foldInMemory(block: Block, hits: readonly Hit[], config: Parameters<typeof foldContext>[0]): unknown[] {
  const now = Date.now();
  const events = hits
    .filter((hit) => hit.recordedOnly === null)
    .map(
      (hit, index): HitEvent => ({
        seq: index + 1,
        hitId: hit.hitId,
        alertId: hit.alertId,
        kind: "included",
        block: { number: block.number, hash: block.hash, timestamp: block.timestamp, confirmations: 1 },
        hit,
        trust: block.trust,
        reason: null,
        link: null,
        late: false,
        retroactive: false,
        at: now,
      }),
    );
  const context = foldContext(config);
  return [...Map.groupBy(events, (event) => event.alertId).values()].map((of) => {
    const body = JSON.parse(foldAlert(null, of, context).message?.body ?? "null") as object;
    return { ...body, test: true };
  });
}

function recordedOf(hit: Hit): object {
  return {
    tx: hit.transfer.txHash,
    key: hit.transfer.key,
    from: hit.transfer.from,
    to: hit.transfer.to,
    asset: hit.asset.id,
    amount: hit.transfer.amount.toString(),
    ...hit.recordedOnly,
  };
}

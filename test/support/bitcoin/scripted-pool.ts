/**
 * What the stand-in for a node says about its pool, its coins and its filters: out of the recorded ledger, which the node
 * itself wrote. Coins that the miner made before block 251 are not in it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FIXTURES, type RecordedChain } from "./recorded-chain.ts";
import { Refusal } from "./refusal.ts";
import type { NodeScript } from "./scripted-node.ts";

interface LedgerRow {
  readonly height: number;
  readonly hash: string;
  readonly txid: string;
  readonly dir: "in" | "out";
  readonly index: number;
  readonly sat: number;
  readonly spk: string;
  readonly prevTxid?: string;
  readonly prevVout?: number;
}

let loaded: readonly LedgerRow[] | null = null;

function ledger(): readonly LedgerRow[] {
  loaded ??= readFileSync(join(FIXTURES, "regtest/expected/ledger.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as LedgerRow);
  return loaded;
}

interface Spend {
  readonly txid: string;
  readonly vout: number;
}

export function poolMethods(
  { blocks }: RecordedChain,
  script: NodeScript,
  active: () => readonly string[],
): Record<string, (params: readonly unknown[]) => unknown> {
  const rows = () => {
    const line = new Set(active());
    return ledger().filter(({ hash }) => line.has(hash));
  };
  const tipHeight = () => blocks.get(script.tip)?.height ?? -1;

  /** Null: it scans. */
  const otherThanStart = (action: unknown) => {
    if (action === "abort") return false;
    if (action === "status") return { progress: 1 };
    if (script.scanBusy > 0) {
      script.scanBusy -= 1;
      throw new Refusal(-8, 'Scan already in progress, use action "abort" or "status"');
    }
    return null;
  };

  return {
    getbestblockhash: () => script.tip,
    getblockcount: tipHeight,
    getrawmempool: () => [...script.pool.keys()],

    gettxspendingprevout([coins]) {
      if (!script.spenders) throw new Refusal(-32601, "Method not found");
      return (coins as Spend[]).map((coin) => {
        const [spender] = [...script.pool].find(([, hex]) => hex.includes(outpointHex(coin))) ?? [];
        return { ...coin, ...(spender === undefined ? {} : { spendingtxid: spender }) };
      });
    },

    scantxoutset([action, objects]) {
      const other = otherThanStart(action);
      if (other !== null) return other;
      const spent = new Set(rows().map(({ prevTxid, prevVout }) => `${prevTxid}:${prevVout}`));
      const unspent = rows().filter(
        ({ dir, txid, index, spk }) => dir === "out" && isSought(spk, objects) && !spent.has(`${txid}:${index}`),
      );
      return {
        success: true,
        txouts: unspent.length,
        height: tipHeight(),
        bestblock: script.tip,
        unspents: unspent.map(({ txid, index, spk, sat, height }) => ({
          txid,
          vout: index,
          scriptPubKey: spk,
          amount: sat / 1e8,
          height,
        })),
      };
    },

    scanblocks([action, objects, from, to]) {
      if (!script.filters) throw new Refusal(-1, "Index is not enabled for filtertype basic");
      const other = otherThanStart(action);
      if (other !== null) return other;
      const range = { from: Number(from ?? 0), to: Number(to ?? tipHeight()) };
      const found = rows().filter(
        ({ height, spk }) => height >= range.from && height <= range.to && isSought(spk, objects),
      );
      return {
        from_height: range.from,
        to_height: range.to,
        relevant_blocks: [...new Set(found.map(({ hash }) => hash))],
        completed: true,
      };
    },
  };
}

const isSought = (spk: string, objects: unknown) => (objects as string[]).includes(`raw(${spk})`);

/** As it stands in a raw transaction. */
function outpointHex({ txid, vout }: Spend): string {
  const index = Buffer.alloc(4);
  index.writeUInt32LE(vout);
  return Buffer.from(Buffer.from(txid, "hex").toReversed()).toString("hex") + index.toString("hex");
}

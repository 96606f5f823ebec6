/** Nodes that are bad in one way each, and how heistwatch must see them. */
import type { NodeState } from "../../../src/types/nodes.ts";
import type { Anvil } from "../../support/anvil.ts";
import type { Faults } from "../../support/fault-proxy.ts";

export interface Liar {
  readonly faults: Faults;
  readonly state: NodeState;
}

/** By name; what is above `height` is new when they begin. */
export function liarsBeside(honest: Anvil, height: number): Readonly<Record<string, Liar>> {
  return {
    adds: quarantined(lieOn("eth_getBlockReceipts", withLog)),
    hides: quarantined(lieOn("eth_getBlockByHash", (block) => ({ ...(block as object), transactions: [] }))),
    empty: quarantined(lieOn("eth_getBlockReceipts", () => [])),
    chain: quarantined(lieOn("eth_chainId", () => "0x38")),
    "corrupts-receipts": quarantined({ corrupt: (method) => method === "eth_getBlockReceipts" }),
    "corrupts-blocks": quarantined({ corrupt: (method) => method === "eth_getBlockByHash" }),
    lags: {
      faults: lieOn("eth_getBlockByNumber", (block, [number]) => (Number(number) > height ? null : block)),
      state: "lagging",
    },
    nulls: { faults: lieOn("eth_getBlockByNumber", () => null), state: "lagging" },
    // All of it is true, but of long ago; asked for a height above, it gives the old block, or nothing.
    replays: { faults: oldHead(honest, height, (old) => old), state: "down" },
    stands: { faults: oldHead(honest, height, (old, isTag) => (isTag ? old : null)), state: "lagging" },
    truncates: { faults: { truncateTo: 40 }, state: "down" },
    slow: { faults: { down: "halfOpen" }, state: "down" },
  };
}

/** Passes the block of `height` off as each one above it. */
export function oldBlockAsNew(honest: Anvil, height: number): Faults {
  return {
    async lie(result, { method, params }) {
      if (method !== "eth_getBlockByNumber" || !(Number(params[0]) > height)) return result;
      return { ...(await blockAt(honest, height)), number: params[0] };
    },
  };
}

/** `above`: what is told in place of a block above `height`; a tag (`latest`, `finalized`) means one too. */
function oldHead(honest: Anvil, height: number, above: (old: object, isTag: boolean) => unknown): Faults {
  return {
    async lie(result, { method, params }) {
      if (method === "eth_blockNumber") return hex(height);
      const isTag = Number.isNaN(Number(params[0]));
      if (method !== "eth_getBlockByNumber" || !(isTag || Number(params[0]) > height)) return result;
      return above(await blockAt(honest, height), isTag);
    },
  };
}

function blockAt(node: Anvil, height: number): Promise<object> {
  return node.rpc<object>("eth_getBlockByNumber", [hex(height), false]);
}

function quarantined(faults: Faults): Liar {
  return { faults, state: "quarantined" };
}

function lieOn(method: string, lie: (result: unknown, params: readonly unknown[]) => unknown): Faults {
  return { lie: (result, call) => (call.method === method && result !== null ? lie(result, call.params) : result) };
}

/** The receipts with one transfer more. */
function withLog(receipts: unknown): unknown {
  if (!Array.isArray(receipts)) return receipts;
  const log = { address: `0x${"22".repeat(20)}`, topics: [`0x${"11".repeat(32)}`], data: "0x" };
  return receipts.map((receipt: object, index) => (index === 0 ? { ...receipt, logs: [log] } : receipt));
}

function hex(number: number): string {
  return `0x${number.toString(16)}`;
}

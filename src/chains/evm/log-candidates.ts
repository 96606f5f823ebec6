/**
 * Which blocks hold a log that names one of some addresses in an indexed field: `eth_getLogs`, asked of own nodes only.
 * Only block numbers are taken from the answer: what happened in them is read from the proven block.
 */
import type { Address, Candidates } from "../../types/chain.ts";
import { fieldsOf, listOf } from "../answer-fields.ts";
import { numberOf } from "./answer-fields.ts";
import { READ_EVENTS } from "./decode-logs.ts";
import type { RpcClient } from "./rpc-client.ts";

// geth and its relatives take 1,000 alternatives in one place of a filter; some providers fewer.
const ADDRESSES_PER_FILTER = 500;
// The fields an event can index: the first topic is the event itself.
const INDEXED_PLACES = [1, 2, 3] as const;

export async function findLogCandidates(
  rpc: RpcClient,
  { addresses, from, to }: { addresses: readonly Address[]; from: number; to: number },
  signal: AbortSignal,
): Promise<Candidates> {
  const numbers = new Set<number>();
  for (let start = 0; start < addresses.length; start += ADDRESSES_PER_FILTER) {
    const parties = addresses.slice(start, start + ADDRESSES_PER_FILTER).map(topicOf);
    for (const place of INDEXED_PLACES) {
      const topics = [READ_EVENTS, ...Array.from({ length: place - 1 }, () => null), parties];
      const filter = { fromBlock: hexOf(from), toBlock: hexOf(to), topics };
      const logs = listOf(await rpc.call("eth_getLogs", [filter], signal), "eth_getLogs");
      for (const log of logs) numbers.add(numberOf(fieldsOf(log, "log")["blockNumber"], "log: blockNumber"));
    }
  }
  return { numbers: [...numbers].toSorted((a, b) => a - b), covers: "logs" };
}

function topicOf(address: Address): string {
  return `0x${address.slice(2).toLowerCase().padStart(64, "0")}`;
}

function hexOf(number: number): string {
  return `0x${number.toString(16)}`;
}

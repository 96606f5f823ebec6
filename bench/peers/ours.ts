/**
 * The peers' work by heistwatch as it is: header, block and receipts of every block, proven, all kinds of transfers,
 * matched; counted are the ERC-20 transfers. See run-peer.ts for the protocol.
 *
 *     node ours.ts <http url> <first block> <last block> <file with a JSON list of addresses>
 *
 * The list is not read: what an import made of it, before, is beside it.
 */
import { openHitReader } from "../variants/ours.ts";

// The peers have ten requests under way; a block here is three.
const LANES = 3;

const [url = "", first = "", last = "", list = ""] = process.argv.slice(2);
const watchedFile = `${list}.entries`;
const { adapter, hitsAt } = openHitReader({ httpUrl: url, wsUrl: "", watchedFile }, { core: "wasm", senders: "hits" });
console.log("started");
let next = Number(first);
let events = 0;

async function runLane(): Promise<void> {
  while (next <= Number(last)) {
    const number = next;
    next += 1;
    const hits = await hitsAt(number);
    events += hits.filter(({ transfer }) => transfer.category === "erc20").length;
  }
}

await Promise.all(Array.from({ length: LANES }, runLane));
await adapter.close();
console.log(JSON.stringify({ events }));

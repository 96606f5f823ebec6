/**
 * The peers' work by heistwatch as it is: header, block and receipts of every block, proven, all kinds of transfers,
 * matched; counted are the ERC-20 transfers. See run-peer.ts for the protocol.
 *
 *     node ours.ts <http url> <first block> <last block> <file with a JSON list of addresses>
 */
import { readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { writeAddressFile } from "../../src/watchlist/address-file.ts";
import { ADDRESS_BYTES, writeAddress } from "../../src/watchlist/address-index.ts";
import { openHitReader } from "../variants/ours.ts";

// The peers have ten requests under way; a block here is three.
const LANES = 3;

const [url = "", first = "", last = "", file = ""] = process.argv.slice(2);
const watchedFile = path.join(os.tmpdir(), `heistwatch-peers-ours-${process.pid}`);
writeAddressFile(watchedFile, readAddresses(file));
const { adapter, hitsAt } = openHitReader({ httpUrl: url, wsUrl: "", watchedFile }, { core: "wasm", senders: "hits" });
rmSync(watchedFile);
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

/** The list as bytes, without a text for each address: a list of addresses holds no other quote. */
function readAddresses(list: string): Uint8Array {
  const text = readFileSync(list, "latin1");
  const bytes = new Uint8Array(Math.floor(text.length / '"0x",'.length));
  let length = 0;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + '"0x"'.length + 2 * ADDRESS_BYTES)) {
    if (!writeAddress(text.slice(at + 1, at + 3 + 2 * ADDRESS_BYTES), bytes, length))
      throw new Error(`${list}: not an address at ${at}`);
    length += ADDRESS_BYTES;
  }
  return bytes.subarray(0, length);
}

await Promise.all(Array.from({ length: LANES }, runLane));
await adapter.close();
console.log(JSON.stringify({ events }));

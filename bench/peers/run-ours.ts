/** The peers' work by heistwatch: every block proven and matched; counted are the ERC-20 transfers. See run-peer.ts for the protocol. */
import { readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Hit } from "../../src/types/hit.ts";
import { writeAddressFile } from "../../src/watchlist/address-file.ts";
import { ADDRESS_BYTES, writeAddress } from "../../src/watchlist/address-index.ts";
import { type HitReader, openHitReader } from "../variants/ours.ts";

// The peers have ten requests under way; a block is up to three, of which two at once.
const LANES = 5;

/** `hitsOf` reads one block. */
export async function runOurs(hitsOf: (reader: HitReader, number: number) => Promise<Hit[]>): Promise<void> {
  const [url = "", first = "", last = "", file = ""] = process.argv.slice(2);
  const watchedFile = path.join(os.tmpdir(), `heistwatch-peers-ours-${process.pid}`);
  writeAddressFile(watchedFile, readAddresses(file));
  const reader = openHitReader({ httpUrl: url, wsUrl: "", watchedFile }, { core: "wasm", senders: "hits" });
  rmSync(watchedFile);
  console.log("started");
  let next = Number(first);
  let events = 0;
  const runLane = async (): Promise<void> => {
    while (next <= Number(last)) {
      const number = next;
      next += 1;
      const hits = await hitsOf(reader, number);
      events += hits.filter(({ transfer }) => transfer.category === "erc20").length;
    }
  };
  await Promise.all(Array.from({ length: LANES }, runLane));
  await reader.adapter.close();
  console.log(JSON.stringify({ events }));
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

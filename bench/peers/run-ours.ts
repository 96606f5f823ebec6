/**
 * The peers' work by heistwatch: every block proven and matched; counted are the ERC-20 transfers. See run-peer.ts for
 * the protocol. The list of addresses is not read: what an import made of it, before, is beside it.
 */
import type { Hit } from "../../src/types/hit.ts";
import { type HitReader, openHitReader } from "../variants/ours.ts";

// The peers have ten requests under way; a block is up to three, of which two at once.
const LANES = 5;

/** `hitsOf` reads one block. */
export async function runOurs(hitsOf: (reader: HitReader, number: number) => Promise<Hit[]>): Promise<void> {
  const [url = "", first = "", last = "", list = ""] = process.argv.slice(2);
  const watchedFile = `${list}.entries`;
  const reader = openHitReader({ httpUrl: url, wsUrl: "", watchedFile }, { core: "wasm", senders: "hits" });
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

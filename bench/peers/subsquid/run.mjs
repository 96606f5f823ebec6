/* oxlint-disable -- a program of its own, with its own packages */
/**
 * All ERC-20 Transfers from or to watched addresses in a range of blocks, by Subsquid's evm-processor over JSON-RPC.
 *
 *     node run.mjs <http url> <first block> <last block> <file with a JSON list of addresses>
 *
 * See ../run-peer.ts for the protocol. The database is a counter in memory: cheaper than any a user would have.
 */
import { readFileSync } from "node:fs";
import processorPackage from "@subsquid/evm-processor";

const TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const [url, first, last, file] = process.argv.slice(2);
const topics = JSON.parse(readFileSync(file, "utf8")).map((address) => `0x${"0".repeat(24)}${address.slice(2)}`);
const range = { from: Number(first), to: Number(last) };

const processor = new processorPackage.EvmBatchProcessor()
  .setRpcEndpoint({ url, capacity: 10, maxBatchCallSize: 100 })
  .setFinalityConfirmation(5)
  .setBlockRange(range)
  .setFields({ log: { topics: true, data: true, transactionHash: true } })
  .addLog({ topic0: [TRANSFER], topic1: topics })
  .addLog({ topic0: [TRANSFER], topic2: topics });

let events = 0;
const database = {
  supportsHotBlocks: false,
  connect: () => Promise.resolve({ height: -1, hash: "0x" }),
  transact: (_info, use) => use({}),
};

process.on("exit", () => console.log(JSON.stringify({ events })));

console.log("started");
processor.run(database, async ({ blocks }) => {
  for (const { logs } of blocks) {
    // Three topics and one word of data: ERC-20. The filter itself also lets ERC-721 through.
    for (const { topics: found, data } of logs) if (found.length === 3 && data.length === 66) events += 1;
  }
});

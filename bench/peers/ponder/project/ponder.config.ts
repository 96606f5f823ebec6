/* oxlint-disable -- part of a program of its own, with its own packages */
// @ts-nocheck: the same
import { readFileSync } from "node:fs";
import { createConfig } from "ponder";
import { parseAbi } from "viem";

const { PEER_URL, PEER_FIRST, PEER_LAST, PEER_LIST } = process.env;
const watched = JSON.parse(readFileSync(PEER_LIST, "utf8"));
const source = {
  chain: "replay",
  abi: parseAbi(["event Transfer(address indexed from, address indexed to, uint256 value)"]),
  startBlock: Number(PEER_FIRST),
  endBlock: Number(PEER_LAST),
};

// Two contracts: two filters of one event in one contract keep only the last of them, silently.
export default createConfig({
  database: { kind: "pglite" },
  chains: { replay: { id: 1, rpc: PEER_URL } },
  contracts: {
    From: { ...source, filter: { event: "Transfer", args: { from: watched } } },
    To: { ...source, filter: { event: "Transfer", args: { to: watched } } },
  },
});

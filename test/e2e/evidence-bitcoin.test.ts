/**
 * Goal: loot that reaches a deposit address of ours on a real node of the Bitcoin Core family leaves as a file that a stranger
 * can check, the thief's input included.
 * Method: litecoind on regtest, the whole daemon, the command line; what the file says is read without the node.
 */
import { afterEach, expect, test } from "@jest/globals";
import { evidenceReaderOf } from "../../src/chains/registry.ts";
import { parseEvidenceKey } from "../../src/evidence/keys.ts";
import { verifyBundle } from "../../src/evidence/verify-bundle.ts";
import { CORE_PROGRAMS } from "../support/bitcoin/core-node.ts";
import { waitFor } from "../support/wait-for.ts";
import { alertsOf, EVIDENCE_KEY, spend, startCoreWorld } from "./core-node-world.ts";
import { cli } from "./support/heistwatch.ts";

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one();
}, 60_000);

test.each(CORE_PROGRAMS)(
  "$program: input and output of a cash-out are proven from the node's own bytes",
  async (program) => {
    const { node, receiver, thief, deposit, at } = await startCoreWorld(program, { undo });
    const included = (txid: string) =>
      waitFor(`the alert of ${txid}`, () => alertsOf(receiver, txid)[0]?.stage === "included", { timeoutMs: 45_000 });
    const theft = await node.rpc<string>("sendtoaddress", thief, 40);
    await node.mine(1);
    await included(theft);
    const cashOut = await spend(node, { txid: theft, from: thief, to: deposit });
    const [block] = await node.mine(1);
    await included(cashOut);

    const alertId = alertsOf(receiver, cashOut)[0]?.alertId ?? "";
    const { code, stdout, stderr } = await cli(["evidence", "export", alertId, "--config", at.configPath], at);
    expect([code, stderr]).toEqual([0, expect.stringContaining("Proven by this file alone")]);
    const { publicKey } = parseEvidenceKey(EVIDENCE_KEY);
    const verdict = verifyBundle(Buffer.from(stdout), { readerOf: evidenceReaderOf, key: publicKey, blockHash: block });
    if (!verdict.ok) throw new Error(verdict.reason);
    const { proven, bundle } = verdict.findings;
    expect(bundle.parts.lacks).toEqual([]);
    expect(proven).toContainEqual(
      expect.stringMatching(new RegExp(`^vin:0: 4000000000 base units .* from ${thief}\\.$`)),
    );
    expect(proven).toContainEqual(
      expect.stringMatching(new RegExp(`^vout:0: 3999900000 base units .* to ${deposit}\\.$`)),
    );
  },
  180_000,
);

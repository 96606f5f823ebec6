/**
 * Goal: what a thief spends is told while it waits, also of a coin that was there before the daemon was, and what
 * becomes of it.
 * Method: litecoind on regtest with its ZMQ feed, the whole daemon with `mempool: auto`, a real receiver.
 */
import { type CoreProgram, CORE_PROGRAMS } from "../support/bitcoin/core-node.ts";
import { waitFor } from "../support/wait-for.ts";
import { alertsOf, signSpend, spend, startCoreWorld } from "./core-node-world.ts";

const COIN = 100_000_000n;

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one();
}, 60_000);

describe.each(CORE_PROGRAMS)("$program", (program: CoreProgram) => {
  test("loot on its way to a deposit address is told before its block; sent elsewhere instead, both alerts say so", async () => {
    let theft = "";
    const { node, receiver, runner, thief, deposit } = await startCoreWorld(program, {
      undo,
      mempool: "auto",
      async prepare(before, to) {
        theft = await before.rpc<string>("sendtoaddress", to, 40);
        // More blocks than are read at the start: only the node's own coins can tell of it.
        await before.mine(16);
      },
    });
    const only = (txid: string) => alertsOf(receiver, txid)[0];
    const until = (what: string, probe: () => unknown) => waitFor(what, probe, { timeoutMs: 45_000 });
    await until("the coins", async () => (await runner.metric("heistwatch_mempool_inputs_unseen")) === 0);

    const first = await spend(node, { txid: theft, from: thief, to: deposit });
    await until("the warning", () => only(first)?.stage === "pending");
    const amounts = only(first)?.transfers.map(({ key, amount }) => [key, BigInt(amount)]);
    expect(amounts).toEqual([
      ["vin:0", 40n * COIN],
      ["vout:0", 40n * COIN - 100_000n],
    ]);
    expect(only(first)).toMatchObject({ own: { address: deposit, customerRef: "cust-7" }, replacedBy: null });

    // Litecoin's pool takes no replacement, its blocks do.
    const elsewhere = await node.rpc<string>("getnewaddress", "", "bech32");
    const rival = await signSpend(node, { txid: theft, from: thief, to: elsewhere, fee: 0.01 });
    const { txid: second } = await node.rpc<{ txid: string }>("decoderawtransaction", rival);
    await node.rpc("generateblock", elsewhere, [rival]);
    await until("the replacement", () => only(first)?.stage === "retracted" && only(second)?.replaces);
    expect(only(first)).toMatchObject({
      retraction: { reason: "replaced" },
      replacedBy: { transaction: second, alertId: only(second)?.alertId },
    });
    expect(only(second)).toMatchObject({
      stage: "included",
      replaces: { transaction: first, alertId: only(first)?.alertId },
    });
    expect(alertsOf(receiver, second)).toHaveLength(1);
    expect(runner.surprises).toEqual([]);
  }, 180_000);
});

/**
 * Goal: a theft on a real node of the Bitcoin Core family is told by the whole daemon: once, under one id through the
 * daemon's crash, a reorg and finality.
 * Method: litecoind on regtest, the embedded store, a real receiver with the official library.
 */
import { type CoreProgram, CORE_PROGRAMS } from "../support/bitcoin/core-node.ts";
import { waitFor } from "../support/wait-for.ts";
import { type AlertBody, alertsOf, spend, startCoreWorld } from "./core-node-world.ts";

const COIN = 100_000_000n;

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one();
}, 60_000);

describe.each(CORE_PROGRAMS)("$program", (program: CoreProgram) => {
  test("loot that reaches a deposit address is told, taken back with its block, told again, and final", async () => {
    const { node, receiver, runner, thief, deposit } = await startCoreWorld(program, { undo });
    const stage = (txid: string) => alertsOf(receiver, txid).map((alert) => alert.stage);
    const seen = () =>
      `${JSON.stringify(receiver.requests.map(({ body }) => (body as AlertBody).data)).slice(-3_000)}\n${runner.lastWords()}`;
    const until = (what: string, probe: () => boolean) =>
      waitFor(what, probe, { timeoutMs: 45_000 }).catch((error: unknown) => {
        throw new Error(`${what}: ${seen()}`, { cause: error });
      });

    const theft = await node.rpc<string>("sendtoaddress", thief, 40);
    await node.mine(1);
    await until("the theft", () => stage(theft).includes("included"));
    expect(alertsOf(receiver, theft)).toHaveLength(1);

    // The daemon dies, and the loot moves while it is down.
    await runner.kill9();
    const cashOut = await spend(node, { txid: theft, from: thief, to: deposit });
    const [block] = await node.mine(1);
    runner.start();
    await until("the deposit", () => stage(cashOut).includes("included"));
    const [alert, ...more] = alertsOf(receiver, cashOut);
    expect(more).toEqual([]);
    expect(alert).toMatchObject({ own: { address: deposit, customerRef: "cust-7" } });
    const amounts = alert?.transfers.map(({ key, amount }) => [key, BigInt(amount)]);
    expect(amounts).toContainEqual(["vout:0", 40n * COIN - 100_000n]);

    // Another branch without it has more work.
    await node.rpc("invalidateblock", block);
    const address = await node.rpc<string>("getnewaddress");
    for (let count = 0; count < 2; count += 1) await node.rpc("generateblock", address, []);
    await until("the retraction", () => stage(cashOut)[0] === "retracted");
    expect(alertsOf(receiver, cashOut)[0]).toMatchObject({ alertId: alert?.alertId, retraction: { reason: "reorg" } });

    await node.mine(1, address);
    await until("it again", () => stage(cashOut)[0] === "included");
    await node.mine(6, address);
    await until("finality", () => stage(cashOut)[0] === "final" && stage(theft)[0] === "final");
    expect(alertsOf(receiver, cashOut).map(({ alertId }) => alertId)).toEqual([alert?.alertId]);
    expect(runner.surprises).toEqual([]);
    expect(await runner.metric("heistwatch_chain_reorgs_total")).toBe(1);
  }, 180_000);
});

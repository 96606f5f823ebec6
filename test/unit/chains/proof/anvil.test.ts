/** Blocks that a real node mined for real keys are proven on each chain's profile; those for borrowed senders are not. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { HDNodeWallet, Mnemonic } from "ethers";
import { profileOf } from "../../../../src/chains/evm/proof/profiles.ts";
import { type BlockProof, proveBlock } from "../../../../src/chains/evm/proof/prove-block.ts";
import { type Anvil, startAnvil } from "../../../support/anvil.ts";
import { type BlockJson, followed, type Json } from "./support.ts";

// Anvil's own development mnemonic: its accounts are funded and everyone knows their keys.
const PHRASE = "test test test test test test test test test test test junk";
const walletOf = (index: number) => HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(PHRASE), `m/44'/60'/0'/0/${index}`);
const PAYEE = "0x00000000000000000000000000000000000000aa";

// Emits LOG2 with one word, then returns an empty contract: 32 bytes of 0x2a, topics 1 and 2.
const EMITTING_INIT_CODE = "0x602a6000526002600160206000a25f5ff3";

async function proofAt(anvil: Anvil, chainId: number, tag: string): Promise<{ proof: BlockProof; block: BlockJson }> {
  const block = await anvil.rpc<BlockJson>("eth_getBlockByNumber", [tag, true]);
  const receipts = await anvil.rpc<Json[]>("eth_getBlockReceipts", [tag]);
  const proof = proveBlock(
    { header: followed(block), block, receipts },
    { profile: profileOf(chainId), senders: "all" },
  );
  return { proof, block };
}

describe.each([1, 42161, 56, 8453, 10, 137, 31337])("chain %d", (chainId) => {
  let anvil: Anvil;
  beforeAll(async () => {
    anvil = await startAnvil({ chainId, noMining: true });
  });
  afterAll(() => anvil.stop());

  test("a block of every transaction type, a creation and a failure is proven, with its senders", async () => {
    const wallet = walletOf(0);
    const authority = walletOf(1);
    const fees = { maxFeePerGas: 10_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n };
    const call = { chainId, to: PAYEE, value: 5n, gasLimit: 100_000n };
    const authorization = await authority.authorize({ address: PAYEE, chainId, nonce: 0 });
    const requests = [
      { ...call, type: 0, gasPrice: fees.maxFeePerGas },
      {
        ...call,
        type: 1,
        gasPrice: fees.maxFeePerGas,
        accessList: [{ address: PAYEE, storageKeys: [`0x${"01".repeat(32)}`] }],
      },
      { ...call, type: 2, ...fees, data: "0xdeadbeef" },
      { chainId, type: 2, ...fees, gasLimit: 500_000n, data: EMITTING_INIT_CODE },
      { chainId, type: 2, ...fees, gasLimit: 100_000n, data: "0xfe" },
      { ...call, type: 4, ...fees, authorizationList: [authorization] },
    ];
    for (const [nonce, request] of requests.entries())
      await anvil.rpc("eth_sendRawTransaction", [await wallet.signTransaction({ ...request, nonce })]);
    await anvil.mine();
    const { proof, block } = await proofAt(anvil, chainId, "latest");
    expect(block.transactions.map(({ type }) => Number(type))).toEqual([0, 1, 2, 2, 2, 4]);
    expect(BigInt(block["logsBloom"] as string)).not.toBe(0n); // The creation's log.
    expect(proof).toMatchObject({
      proven: true,
      senders: requests.map(() => wallet.address.toLowerCase()),
      authorities: new Map([[5, [authority.address.toLowerCase()]]]),
    });
  });

  test("an empty block is proven", async () => {
    await anvil.mine();
    expect((await proofAt(anvil, chainId, "latest")).proof).toMatchObject({ proven: true, senders: [] });
  });

  test("a block with a borrowed sender is agreed, not proven", async () => {
    const borrowed = "0x1111111111111111111111111111111111111111";
    await anvil.rpc("anvil_setBalance", [borrowed, "0xde0b6b3a7640000"]);
    await anvil.rpc("anvil_impersonateAccount", [borrowed]);
    await anvil.rpc("eth_sendTransaction", [{ from: borrowed, to: PAYEE, value: "0x1" }]);
    await anvil.mine();
    expect((await proofAt(anvil, chainId, "latest")).proof).toEqual({
      proven: false,
      // Where we do not know the encoding (other chains, and blocks before its rollup encoding began), it says nothing.
      kind: isEncodable(profileOf(chainId)) ? "unsigned" : "unsupported",
      check: "transactions",
      reason: "transaction 0: hash does not match its content, it carries no signature",
    });
  });
});

function isEncodable({ known, encodedSince = 0 }: ReturnType<typeof profileOf>): boolean {
  return known && encodedSince === 0;
}

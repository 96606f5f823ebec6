/** Blocks of every kind that we have no recording of. Their quantities are written as nodes write them. */
import { Signature, ZeroAddress } from "ethers";
import { buildBlock, GAS, logOf, type Sent } from "../proof/build-block.ts";
import { renumber } from "../proof/mutants.ts";
import { encode, int, referenceRoot } from "../proof/reference.ts";
import type { BlockJson, Json, ReceiptJson } from "../proof/support.ts";
import { createAddresses, everyLog, signed, unsigned, WALLET } from "./built-transactions.ts";

export interface WholeBlock {
  readonly name: string;
  readonly chainId: number;
  readonly block: BlockJson;
  readonly receipts: ReceiptJson[];
}

interface Parts {
  readonly sent: readonly Sent[];
  readonly header?: Json;
  readonly withdrawals?: readonly Json[];
}

const HASH = `0x${"cc".repeat(32)}`;
const SINCE_PRAGUE: Json = {
  withdrawalsRoot: HASH,
  blobGasUsed: "0x20000",
  excessBlobGas: "0x0",
  parentBeaconBlockRoot: HASH,
  requestsHash: HASH,
};

function built(name: string, chainId: number, { sent, header = {}, withdrawals }: Parts): WholeBlock {
  const root = withdrawals === undefined ? {} : { withdrawalsRoot: referenceRoot(withdrawals.map(withdrawalItem)) };
  const gasUsed = `0x${(GAS * sent.length).toString(16)}`;
  const answers = buildBlock(sent, { gasUsed, ...header, ...root });
  if (withdrawals !== undefined) answers.block.withdrawals = [...withdrawals];
  renumber(answers);
  answers.receipts
    .flatMap(({ logs }) => logs)
    .forEach((log, at) => {
      // Some nodes repeat the time in logs, some leave out that nothing was removed.
      if (at % 3 === 0) log["blockTimestamp"] = answers.block["timestamp"];
      if (at % 5 === 0) delete log["removed"];
    });
  return { name, chainId, ...answers };
}

const withdrawalItem = (withdrawal: Json) =>
  encode([
    ...["index", "validatorIndex"].map((key) => int(withdrawal[key] as string)),
    withdrawal["address"] as string,
    int(withdrawal["amount"] as string),
  ]);

export function builtBlocks(): WholeBlock[] {
  return [
    built("everything on Ethereum", 1, onEthereum(everyLog)),
    built("a little of everything", 1, onEthereum(fewLogs)),
    built("nothing but withdrawals", 1, {
      sent: [],
      header: SINCE_PRAGUE,
      withdrawals: withdrawalsTo(createAddresses(9_000), 20),
    }),
    built("no transactions", 1, { sent: [] }),
    ...[10, 8453].map((chainId) => built(`OP stack, chain ${chainId}`, chainId, onOptimism(chainId))),
    built("Arbitrum", 42161, onArbitrum()),
    built("BNB Chain", 56, onBnbChain()),
    built("Polygon since Madhugiri", 137, { sent: someSigned(137), header: { number: "0x4c60000" } }),
    built("a chain that nobody knows", 987_654, { sent: someSigned(987_654), header: SINCE_PRAGUE, withdrawals: [] }),
    // Keys of the tries change their form at 128 and 256; branches fill up at 16.
    ...[1, 2, 15, 16, 17, 126, 127, 128, 129, 130, 144, 255, 256, 257, 300].map(many),
  ];
}

const fewLogs: typeof everyLog = (address) => everyLog(address).filter((_, at) => at % 12 === 0);

/** The transactions of some of these, each in a block of its own, with two logs at most. */
export function blocksOfOne(): WholeBlock[] {
  const chains: [string, number, Parts][] = [
    ["Ethereum", 1, onEthereum(fewLogs)],
    ["the OP stack", 8453, onOptimism(8453)],
    ["Arbitrum", 42161, onArbitrum()],
  ];
  return chains.flatMap(([name, chainId, { sent, withdrawals, ...parts }]) =>
    sent.map((one, at) => {
      const alone = one.logs === undefined ? one : { ...one, logs: one.logs.slice(0, 2) };
      const some = withdrawals === undefined ? {} : { withdrawals: withdrawals.slice(0, 2) };
      return built(`transaction ${at} of ${name}`, chainId, { ...parts, ...some, sent: [alone] });
    }),
  );
}

/** Before Madhugiri, where a block may hide what no root covers. */
export function polygonBefore(): WholeBlock {
  return built("Polygon before Madhugiri", 137, { sent: someSigned(137), header: { number: "0x2faf081" } });
}

const withdrawalsTo = (address: () => string, count: number): Json[] =>
  Array.from({ length: count }, (_, at) => ({
    index: `0x${(at + 4_000).toString(16)}`,
    validatorIndex: `0x${at.toString(16)}`,
    address: address(),
    amount: at === 0 ? "0x0" : `0x${(at * 1_000).toString(16)}`,
  }));

const fees = { maxFeePerGas: 2_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n };

function someSigned(chainId: number): Sent[] {
  const address = createAddresses(chainId);
  const call = () => ({ chainId, to: address(), value: 5n });
  return [
    signed({ ...call(), type: 0, gasPrice: 2_000_000_000n }),
    signed({ ...call(), type: 2, ...fees, nonce: 1 }, { logs: everyLog(address).slice(0, 30) }),
    signed({ chainId, type: 2, ...fees, nonce: 300, data: "0x6001" }),
  ];
}

/** All five types, before and after EIP-155, creations, failures, every log, authorizations good and bad, withdrawals. */
function onEthereum(logsOf: typeof everyLog): Parts {
  const address = createAddresses(1);
  const call = () => ({ chainId: 1, to: address(), value: 7n });
  const accessList = [
    { address: address(), storageKeys: [HASH, `0x${"00".repeat(32)}`] },
    { address: address(), storageKeys: [] },
  ];
  const authorize = (to: string, nonce: bigint) => WALLET.authorizeSync({ address: to, chainId: 1n, nonce });
  const good = authorize(address(), 300n);
  const noKey = Signature.from({ r: `0x${"ff".repeat(32)}`, s: `0x${"01".repeat(32)}`, yParity: 0 });
  const nobody = { ...authorize(address(), 0n), signature: noKey };
  const set = { type: 4, ...fees, accessList };
  const sent = [
    signed({ to: address(), value: 0n, type: 0, chainId: 0, gasPrice: 2_000_000_000n }),
    signed({ ...call(), type: 0, gasPrice: 2_000_000_000n, nonce: 1, data: `0x${"ab".repeat(300)}` }),
    signed({ ...call(), type: 1, gasPrice: 2_000_000_000n, accessList, nonce: 2 }),
    signed({ ...call(), type: 2, ...fees, nonce: 127 }),
    signed({ ...call(), type: 2, ...fees, nonce: 128, value: 0n, data: "0x00" }),
    signed({
      ...call(),
      type: 3,
      ...fees,
      nonce: 5,
      maxFeePerBlobGas: 1n,
      blobVersionedHashes: [`0x01${"02".repeat(31)}`],
    }),
    signed({ ...call(), ...set, nonce: 6, authorizationList: [good, nobody, authorize(ZeroAddress, 2n ** 63n)] }),
    signed(
      { ...call(), ...set, nonce: 7, authorizationList: [authorize(address(), 1n)] },
      { receipt: { status: "0x0" } },
    ),
    signed({ chainId: 1, type: 2, ...fees, nonce: 8, data: "0x6001", value: 3n }),
    signed({ chainId: 1, type: 0, gasPrice: 1_000_000_000n, nonce: 0, data: "0x6001" }),
    signed(
      { chainId: 1, type: 2, ...fees, nonce: 9, data: "0xfe" },
      { receipt: { status: "0x0", contractAddress: null } },
    ),
    signed({ ...call(), type: 2, ...fees, nonce: 10 }, { receipt: { status: "0x0" } }),
  ];
  const logs = logsOf(address);
  for (let at = 0; at < logs.length; at += 12)
    sent.push(signed({ ...call(), type: 2, ...fees, nonce: 20 + at }, { logs: logs.slice(at, at + 12) }));
  const header = { ...SINCE_PRAGUE, miner: address() };
  return { sent, header, withdrawals: withdrawalsTo(address, 16) };
}

const canyon = (nonce: number): Partial<Sent> => ({
  receipt: { depositNonce: `0x${nonce.toString(16)}`, depositReceiptVersion: "0x1" },
  receiptTail: [int(nonce), "0x01"],
});

const SOURCE = (at: number) => `0x${at.toString(16).padStart(64, "5")}`;

/** Deposits with and without mint, before and since Canyon, one that creates, and what users send. */
function onOptimism(chainId: number): Parts {
  const address = createAddresses(100 * chainId);
  const deposit = (at: number, json: Json, more: Partial<Sent> = canyon(at)) => {
    const own = {
      sourceHash: SOURCE(at),
      from: address(),
      to: address(),
      value: "0x7",
      gas: "0xf4240",
      input: "0x1234",
    };
    return unsigned(chainId, 0x7e, { ...own, ...json }, more);
  };
  const from = WALLET.address.toLowerCase();
  const creation = signed({ type: 0, chainId, gasPrice: 1n, nonce: 300 });
  const made = { ...canyon(300), receipt: { ...canyon(300).receipt, ...creation.receipt } };
  const sent = [
    deposit(1, { isSystemTx: true, gasPrice: "0x0", r: "0x0", s: "0x0", v: "0x0", yParity: "0x0", mint: "0x0" }),
    deposit(2, { mint: "0x64" }, { ...canyon(2), logs: everyLog(address).slice(0, 10) }),
    deposit(3, { isSystemTx: false }, { receipt: { depositNonce: "0x3" } }),
    deposit(4, { from, to: null }, made),
    ...someSigned(chainId),
  ];
  return { sent, header: SINCE_PRAGUE };
}

function onArbitrum(): Parts {
  const chainId = 42161;
  const address = createAddresses(777_777);
  const arbos = "0x00000000000000000000000000000000000a4b05";
  const fee = { maxFeePerGas: "0x5f5e100", gasPrice: "0x5f5e100", gas: "0x5208" };
  const plain = () => ({ chainId: "0xa4b1", from: address(), to: address(), value: "0x9", input: "0x1234" });
  const retry = { ticketId: HASH, refundTo: address(), maxRefund: "0xff", submissionFeeRefund: "0x0", nonce: "0x0" };
  const submit = {
    requestId: HASH,
    l1BaseFee: "0x1",
    depositValue: "0x2",
    gasPrice: "0x5f5e100",
    gas: "0x5208",
    value: "0x0",
    retryTo: address(),
    retryValue: "0x3",
    beneficiary: address(),
    maxSubmissionFee: "0x4",
    refundTo: address(),
    retryData: "0xabcd",
    to: "0x000000000000000000000000000000000000006e",
  };
  const logs = everyLog(address);
  const made = signed({ type: 0, chainId, gasPrice: 1n, nonce: 9 }).receipt ?? {};
  const own = WALLET.address.toLowerCase();
  const sent = [
    unsigned(chainId, 0x6a, { ...plain(), from: arbos, to: arbos, value: "0x0", input: "0x6bf6a42d" }),
    unsigned(chainId, 0x64, { ...plain(), requestId: HASH, input: "0x" }),
    unsigned(chainId, 0x65, { ...plain(), ...fee, nonce: "0x80" }, { logs: logs.slice(0, 10) }),
    unsigned(chainId, 0x65, { ...plain(), ...fee, from: own, to: null, nonce: "0x9" }, { receipt: made }),
    unsigned(chainId, 0x66, { ...plain(), ...fee, requestId: HASH }, { logs: logs.slice(10, 20) }),
    unsigned(chainId, 0x68, { ...plain(), ...fee, ...retry }),
    unsigned(chainId, 0x69, { ...plain(), ...submit }),
    unsigned(chainId, 0x69, { ...plain(), ...submit, retryTo: null, maxFeePerGas: "0x5f5e101" }),
    ...someSigned(chainId),
  ];
  return { sent };
}

/** Its validators pay themselves in transactions without price, and its header repeats the milliseconds in mixHash. */
function onBnbChain(): Parts {
  const address = createAddresses(56_000);
  const sent = someSigned(56);
  sent.push(signed({ type: 0, chainId: 56, to: address(), value: 10n ** 17n, gasPrice: 0n, nonce: 7 }));
  const header = { ...SINCE_PRAGUE, difficulty: "0x2", extraData: `0x${"d8".repeat(600)}`, baseFeePerGas: "0x0" };
  return { sent, header, withdrawals: [] };
}

/** `count` deposits, each with a log or two. */
function many(count: number): WholeBlock {
  const address = createAddresses(2_000_000);
  const logs = everyLog(address);
  const sent = Array.from({ length: count }, (_, at) =>
    unsigned(
      8453,
      0x7e,
      { sourceHash: SOURCE(at), from: address(), to: address(), value: "0x1", gas: "0x5208", input: "0x" },
      { ...canyon(at), logs: logs.slice(at % 100, (at % 100) + (at % 3)) },
    ),
  );
  return built(`${count} transactions`, 8453, { sent, header: SINCE_PRAGUE });
}

/** Their hashes and roots are right, and yet they contradict themselves: no chain has such a block, a liar may. */
export function contradictoryBlocks(): WholeBlock[] {
  const sent = someSigned(1);
  const [payment, tokens] = sent as [Sent, Sent];
  const failed: Sent = { ...tokens, receipt: { status: "0x0" } };
  const strange: Sent = { ...failed, logs: [logOf(`0x${"11".repeat(20)}`)] };
  const unknownType: Sent = { json: payment.json, typeByte: 0x7e, items: payment.items };
  const wrong = (name: string, header: Json) => built(`its header has ${name}`, 1, { sent, header });
  return [
    wrong("no bloom", { logsBloom: `0x${"00".repeat(256)}` }),
    wrong("a fuller bloom", { logsBloom: `0x${"ff".repeat(256)}` }),
    wrong("another gasUsed", { gasUsed: "0x5208" }),
    wrong("a root of other transactions", { transactionsRoot: HASH }),
    wrong("a root of other receipts", { receiptsRoot: HASH }),
    wrong("a root of withdrawals that are not there", { withdrawalsRoot: HASH }),
    wrong("a hole", { blobGasUsed: "0x0", excessBlobGas: "0x0" }),
    built("it holds a transaction twice", 1, { sent: [payment, payment] }),
    built("a failed transaction moved tokens", 1, { sent: [payment, failed] }),
    built("a failed transaction logged what is no movement", 1, { sent: [payment, strange] }),
    built("a type that the chain does not have", 1, { sent: [unknownType] }),
    built("a signature for another chain", 1, { sent: someSigned(5) }),
    built("withdrawals that OP chains do not have", 10, {
      sent: [],
      withdrawals: withdrawalsTo(createAddresses(1), 2),
    }),
  ];
}

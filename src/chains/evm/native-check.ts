/**
 * Did we see all native value? No root covers what moves inside contract calls: traces come from the node, and nothing on
 * chain commits to them. So now and then a sample is held against balances, which is what value is in the end.
 *
 * In: blocks that were returned already; it never delays or fails one. Out: one outcome a sample. It knows no watchlist,
 * and draws from the whole block: what is asked tells nobody whom we watch. A node that lies the same way in traces and
 * balances is not found out here; one that only leaves frames out is.
 */
import { randomInt } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { Address, BlockRef, Header } from "../../types/chain.ts";
import type { Log } from "../../types/log.ts";
import { describeError } from "../../lib/errors.ts";
import { redactText } from "../../lib/redact.ts";
import { hashOf, numberOf, quantityOf } from "./answer-fields.ts";
import { fieldsOf, listOf } from "../answer-fields.ts";
import { type BlockAnswers, type DecodeContext, transactionHashesOf } from "./decode-block.ts";
import {
  type NativeDifference,
  type NativePart,
  type NativeRules,
  type NativeVerdict,
  blockPart,
  exemptionsOf,
  judgeDifferences,
  judgeTransaction,
  participantsOf,
  transactionPart,
  unseenAmount,
} from "./native-differences.ts";
import { profileOf } from "./proof/profiles.ts";
import { RpcError } from "../rpc-envelope.ts";
import { isMethodMissing, type RpcCaller } from "./rpc-client.ts";

interface HowJudged {
  readonly by: "transaction" | "balances";
  readonly txHash: string | null;
}

type Finding =
  /** `unjudged`: addresses of the sample that nobody can judge. */
  | ({ readonly kind: "complete"; readonly unjudged: number } & HowJudged)
  /** `unseen`: at least this much native value moved without our seeing it, in wei. */
  | ({
      readonly kind: "incomplete";
      readonly differences: readonly NativeDifference[];
      readonly unseen: bigint;
    } & HowJudged)
  | { readonly kind: "unknown"; readonly why: string };

/** What one sample showed. Not `traced`: internal value was not looked for, and `incomplete` says how blind that makes us. */
export type NativeOutcome = { readonly block: BlockRef; readonly traced: boolean } & Finding;

export interface NativeCheckOptions {
  readonly rpc: RpcCaller;
  readonly context: DecodeContext;
  /** The node is the operator's own: only then may it be asked for balances, by address. */
  readonly own: boolean;
  readonly log: Log;
  readonly onNativeCheck?: (outcome: NativeOutcome) => void;
  /** One request in so many milliseconds on average. */
  readonly requestIntervalMs?: number;
}

export interface NativeCheck {
  /** A block that was scanned. Never waits; `read` is called only if the block is drawn, and before this returns. */
  offer(header: Header, read: () => BlockAnswers): void;
  close(): Promise<void>;
}

// A request a second: what a block explorer in a browser asks for.
const REQUEST_INTERVAL_MS = 1_000;
// Rests nine times as long as the answers took: at most a tenth of one core of the node.
const REST_FACTOR = 9;
// As the tracer: a node that has no prestateTracer today may have it after an upgrade.
const PROBE_AGAIN_MS = 600_000;
// Two requests an address: a sample keeps the check away for 8 s, less than a slot of Ethereum.
const SAMPLED_ADDRESSES = 4;
// The metric counts every outcome; a person reads one of a kind in ten minutes.
const TELL_AGAIN_MS = 600_000;
// A transfer to an account without code costs exactly this: no contract ran.
const TRANSFER_GAS = 21_000n;
const NAMED_DIFFERENCES = 5;

/** One block under check, and how the node is asked about it. */
interface Sample {
  readonly answers: BlockAnswers;
  ask(method: string, params: readonly unknown[]): Promise<unknown>;
}

export function createNativeCheck({
  rpc,
  context,
  own,
  log,
  onNativeCheck,
  requestIntervalMs = REQUEST_INTERVAL_MS,
}: NativeCheckOptions): NativeCheck {
  const rules: NativeRules = { context, profile: profileOf(Number(context.chain.slice("eip155:".length))) };
  const checking: Checking = { rules, own, prestateDiffOf: createPrestateSource() };
  const closing = new AbortController();
  const tell = createTeller(log);
  let running: Promise<void> | null = null;
  let restsUntil = 0;

  async function run(header: Header, read: () => BlockAnswers): Promise<void> {
    const startedAt = performance.now();
    let requests = 0;
    const ask = (method: string, params: readonly unknown[]) => {
      requests += 1;
      return rpc.call(method, params, closing.signal);
    };
    let finding: Finding | null;
    let traced = false;
    try {
      const answers = read();
      traced = answers.traces !== null;
      // The block goes its way first.
      await setImmediate();
      finding = await checkSample({ answers, ask }, checking);
    } catch (error) {
      finding = { kind: "unknown", why: redactText(describeError(error)) };
    }
    const endedAt = performance.now();
    const restMs = Math.max(requests * requestIntervalMs, REST_FACTOR * (endedAt - startedAt));
    restsUntil = requests === 0 ? 0 : endedAt + restMs;
    if (finding === null || closing.signal.aborted) return;
    const outcome = { block: { number: header.number, hash: header.hash }, traced, ...finding };
    tell(outcome);
    onNativeCheck?.(outcome);
  }

  return {
    offer(header, read) {
      if (closing.signal.aborted || running !== null || performance.now() < restsUntil) return;
      running = run(header, read).finally(() => {
        running = null;
      });
    },
    async close() {
      closing.abort();
      await running;
    },
  };
}

interface Checking {
  readonly rules: NativeRules;
  readonly own: boolean;
  readonly prestateDiffOf: PrestateSource;
}

/** Null: no contract ran in the block, so nothing can be hidden in it. */
async function checkSample(sample: Sample, { rules, own, prestateDiffOf }: Checking): Promise<Finding | null> {
  const { answers } = sample;
  const candidates = hidingPlaces(answers, rules);
  const index = candidates[drawBelow(candidates.length)];
  if (index === undefined) return null;
  const txHash = transactionHashesOf(answers.block)[index] ?? "";
  const diff = await prestateDiffOf(txHash, sample);
  if (diff !== null) {
    const verdict = judgeTransaction(transactionPart(answers, index, rules), diff, rules.context.checksum);
    // It is asked by transaction: after a reorg the answer may be of another block, with other fees and another course.
    if (verdict.differences.length > 0 && !(await isStillIn(txHash, sample)))
      return { kind: "unknown", why: "the transaction is in another block by now" };
    return findingOf(verdict, { by: "transaction", txHash });
  }
  if (!own)
    return { kind: "unknown", why: "no prestateTracer, and balances are asked only of the operator's own nodes" };
  return findingOf(await judgeBalances(blockPart(answers, rules), sample), { by: "balances", txHash: null });
}

/** The answer of the node's prestateTracer for a transaction; null where it has none. */
type PrestateSource = (txHash: string, sample: Sample) => Promise<unknown>;

function createPrestateSource(): PrestateSource {
  let missingSince: number | null = null;
  return async (txHash, { ask }) => {
    if (missingSince !== null && performance.now() - missingSince < PROBE_AGAIN_MS) return null;
    try {
      const options = { tracer: "prestateTracer", tracerConfig: { diffMode: true } };
      const answer = await ask("debug_traceTransaction", [txHash, options]);
      missingSince = null;
      return answer;
    } catch (error) {
      if (!isTracerMissing(error)) throw error;
      missingSince = performance.now();
      return null;
    }
  };
}

/** -32601, or a node that has the method and not the tracer. */
function isTracerMissing(error: unknown): boolean {
  return (
    isMethodMissing(error) || (error instanceof RpcError && error.rpcCode !== null && /tracer/i.test(error.message))
  );
}

/** Transactions in which a contract ran and stood. Of unsigned ones (deposits, retries of rollups) we do not know what they may mint and move. */
function hidingPlaces({ block, receipts }: BlockAnswers, { profile }: NativeRules): number[] {
  const answered = listOf(receipts, "receipts");
  return listOf(fieldsOf(block, "block")["transactions"], "block.transactions").flatMap((entry, index) => {
    const what = `transaction ${index}`;
    const transaction = fieldsOf(entry, what);
    const receipt = fieldsOf(answered[index], `receipt of ${what}`);
    const type = transaction["type"] === undefined ? 0 : numberOf(transaction["type"], `${what}: type`);
    const signature = profile.types[type]?.signature ?? "none";
    const ran = receipt["status"] === "0x1" && quantityOf(receipt["gasUsed"], `${what}: gasUsed`) > TRANSFER_GAS;
    return ran && signature !== "none" ? [index] : [];
  });
}

async function isStillIn(txHash: string, { answers, ask }: Sample): Promise<boolean> {
  const receipt = await ask("eth_getTransactionReceipt", [txHash]);
  if (receipt === null) return false;
  return hashOf(fieldsOf(receipt, "receipt")["blockHash"], "receipt: blockHash") === answers.header.hash;
}

/** Compares the balances before and after the block, of some of those who took part in it. One request at a time. */
async function judgeBalances(part: NativePart, { answers, ask }: Sample): Promise<NativeVerdict> {
  const { hash, parentHash } = answers.header;
  const unclear = part.shortLived;
  const isExempt = exemptionsOf(part, unclear);
  const participants = [...participantsOf(part)].filter((address) => !isExempt(address));
  const sample = drawFrom(participants, SAMPLED_ADDRESSES);
  const actual = new Map<Address, bigint>();
  for (const address of sample) {
    // By hash: a reorg between the two cannot mix blocks.
    const before = await ask("eth_getBalance", [address, { blockHash: parentHash }]);
    const after = await ask("eth_getBalance", [address, { blockHash: hash }]);
    actual.set(address, quantityOf(after, "balance") - quantityOf(before, "balance"));
  }
  return judgeDifferences(part, { actual, unclear }, sample);
}

function findingOf({ judged, unjudged, differences }: NativeVerdict, how: HowJudged): Finding {
  if (differences.length > 0) return { ...how, kind: "incomplete", differences, unseen: unseenAmount(differences) };
  if (judged === 0) return { kind: "unknown", why: "no balance of the sample can be judged on this chain" };
  return { ...how, kind: "complete", unjudged };
}

/** A number from 0 up to, not including, `below`; -1 for none. Unpredictable: whoever hides value must not know where we look. */
function drawBelow(below: number): number {
  return below === 0 ? -1 : randomInt(below);
}

/** Up to `count` of them, each with the same chance. */
function drawFrom(addresses: readonly Address[], count: number): Address[] {
  const left = [...addresses];
  const drawn: Address[] = [];
  while (drawn.length < count && left.length > 0) drawn.push(...left.splice(drawBelow(left.length), 1));
  return drawn;
}

const MESSAGES = {
  hidden: "the node's traces hide native value: a balance changed by what no trace shows",
  blind: "native value moved inside contract calls, unseen: this block was not traced",
  unknown: "native completeness not checked",
  complete: "native completeness checked",
} as const;

/** Writes each outcome to the log, and of each kind one in ten minutes where a person reads it. */
function createTeller(log: Log): (outcome: NativeOutcome) => void {
  const toldAt = new Map<string, number>();
  return (outcome) => {
    const kind = outcome.kind !== "incomplete" ? outcome.kind : outcome.traced ? "hidden" : "blind";
    const facts = factsOf(outcome);
    const last = toldAt.get(kind);
    const isNews = last === undefined || performance.now() - last >= TELL_AGAIN_MS;
    if (kind === "complete" || !isNews) return log.debug(facts, MESSAGES[kind]);
    toldAt.set(kind, performance.now());
    if (kind === "hidden") log.error(facts, MESSAGES[kind]);
    else log.info(facts, MESSAGES[kind]);
  };
}

function factsOf(outcome: NativeOutcome): object {
  const facts = { block: outcome.block.number, hash: outcome.block.hash };
  if (outcome.kind === "unknown") return { ...facts, why: outcome.why };
  const how = { ...facts, by: outcome.by, ...(outcome.txHash === null ? {} : { txHash: outcome.txHash }) };
  if (outcome.kind === "complete") return { ...how, unjudged: outcome.unjudged };
  const differences = outcome.differences
    .slice(0, NAMED_DIFFERENCES)
    .map(({ address, expected, actual }) => ({ address, expected: String(expected), actual: String(actual) }));
  return { ...how, unseen: String(outcome.unseen), differences };
}

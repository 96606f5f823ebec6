/** The body of every message, as published in docs/alert.schema.json. Amounts are decimal strings in base units. */
import { z } from "zod";
import { ACTIONS, SEVERITIES } from "../types/alert.ts";
import { TRANSFER_CATEGORIES } from "../types/chain.ts";
import { ENTRY_BASES, ENTRY_ROLES } from "../types/watch.ts";

const amount = z.string().regex(/^\d+$/).describe("base units, decimal");
const timestamp = z.iso.datetime().describe("UTC");
const address = z.string().min(1).describe("canonical text of its chain");

const asset = z.strictObject({
  id: z.string().describe("CAIP-19"),
  symbol: z.string().nullable().describe("from the token list; null for unlisted tokens"),
  decimals: z.int().nonnegative().nullable(),
  listed: z.boolean().describe("native coin or in the token list"),
});

const transfer = z.strictObject({
  hitId: z.string().regex(/^hit_[0-9a-z]{26}$/),
  key: z
    .string()
    .describe(
      "native, call:<n>, log:<index among all logs of the transaction>, ...; docs/line.md lists them. calldata: only asked for by a pending call, not executed",
    ),
  category: z.enum(TRANSFER_CATEGORIES),
  from: address.nullable().describe("null on outputs of UTXO chains: all inputs paid for it together"),
  to: address.nullable().describe("null on inputs of UTXO chains"),
  change: z.literal(true).optional().describe("an output that returns to a script an input came from"),
  asset,
  amount,
  amountDecimal: z.string().nullable().describe("null when decimals are unknown"),
  usdCents: z.string().regex(/^\d+$/).nullable().describe("whole cents when it happened; null: unknown, never zero"),
  price: z
    .strictObject({
      source: z.string().describe("chainlink:<chain>:<feed>, or assumed: a stable coin without a feed"),
      updatedAt: timestamp.nullable().describe("of the feed; null: assumed"),
      usdPerUnit: z.string().regex(/^\d+(\.\d+)?$/),
      comparedWith: z.string().nullable().describe("null: one node's word, so it never lowers an alert"),
      note: z.string().nullable().describe("such as a stable coin off its peg"),
    })
    .nullable()
    .describe("null: usdCents is unknown"),
  valueUnknown: z.string().nullable().describe("why usdCents is null"),
});

const utxoPart = z.strictObject({
  index: z.int().nonnegative().describe("place among the inputs or outputs"),
  address,
  amount,
  change: z.literal(true).optional(),
});

const utxo = z.strictObject({
  inputs: z.strictObject({ count: z.int().nonnegative(), amount, first: z.array(utxoPart) }),
  outputs: z.strictObject({
    count: z.int().positive(),
    amount,
    changeAmount: amount.describe("what certainly returns to an input's script"),
    first: z.array(utxoPart),
  }),
  fee: amount.nullable().describe("null for a coinbase"),
});

const watch = z.strictObject({
  list: z.string(),
  version: z.string(),
  entry: z.string(),
  address,
  side: z.enum(["from", "to"]),
  label: z.string(),
  role: z.enum(ENTRY_ROLES),
  incident: z.string(),
  incidentName: z.string().nullable(),
  attribution: z.string().nullable(),
  attributionDisputed: z.boolean(),
  basis: z.enum(ENTRY_BASES),
  independentSources: z.int().nonnegative(),
  sanctioned: z.strictObject({ list: z.string(), source: z.string() }).nullable(),
  match: z.enum(["exact", "sameKey", "keyEquivalent"]),
  ended: z.literal(true).optional().describe("the entry's dates were over: it raises and holds nothing"),
  sources: z.array(z.string()),
});

const replacement = z.strictObject({
  transaction: z.string().describe("its hash"),
  alertId: z.string().nullable().describe("its alert, of the same subject where there is one; null when it has none"),
});

const own = z.strictObject({
  address,
  role: z.enum(["sender", "recipient"]),
  customerRef: z.string().nullable(),
  wallet: z.enum(["deposit", "hot", "cold", "other"]),
});

export const alertData = z.strictObject({
  alertId: z.string().regex(/^alr_[0-9a-z]{26}$/),
  revision: z.int().positive().describe("the highest revision wins; order of arrival is not promised"),
  stage: z.enum(["announced", "pending", "included", "final", "retracted"]),
  kind: z.enum(["exposure", "movement"]),
  severity: z.enum(SEVERITIES),
  action: z.enum(ACTIONS).describe("advice for the receiver"),
  late: z.boolean().describe("the block was already old when it was scanned"),
  retroactive: z
    .boolean()
    .describe("found by a scan of the past: sent only where an own address was touched in the last 30 days"),
  summary: z.string(),
  chain: z.strictObject({ id: z.string().describe("CAIP-2"), name: z.string() }),
  block: z
    .strictObject({
      number: z.int().nonnegative(),
      hash: z.string(),
      timestamp,
      confirmations: z.int().nonnegative().describe("when this revision was made"),
      finality: z.enum(["latest", "safe", "finalized"]),
    })
    .nullable()
    .describe("null: the transaction is not in a block: stage pending, or retracted from there"),
  transaction: z
    .strictObject({
      hash: z.string().nullable(),
      index: z.int().nonnegative().nullable(),
      utxo: utxo.optional().describe("on UTXO chains: the whole transaction, the first 8 of each side one by one"),
    })
    .describe("nulls for consensus withdrawals and block rewards; no index before the transaction is in a block"),
  transfers: z.array(transfer).min(1).describe("the first 16 of transfersTotal, fewer where their texts are long"),
  transfersTotal: z.int().positive(),
  own: own.nullable(),
  exposure: z.strictObject({ type: z.literal("direct"), hops: z.literal(1), incidents: z.array(z.string()) }),
  watch: z.array(watch).min(1).describe("the first 8 of watchTotal, fewer where their texts are long"),
  watchTotal: z.int().positive(),
  score: z.strictObject({
    amount: z.int(),
    share: z.int(),
    proximity: z.int(),
    confidence: z.int(),
    total: z.int(),
    reasons: z.array(z.string()).describe("each part in words"),
    caps: z.array(z.string()).describe("what lowered or raised the outcome, and where the operator's policy did"),
  }),
  trust: z.strictObject({
    proven: z.boolean().describe("the content matches its hash"),
    agreed: z.string().describe("operators that name this hash / operators configured"),
    verified: z.boolean().describe("proven and agreed, no operator missing or disputing"),
    singleOperator: z.boolean(),
    disputed: z.boolean().describe("operators name different blocks at this height"),
    traced: z.boolean().describe("false: value moved inside contract calls was not seen"),
    operators: z.array(z.string()),
    missing: z.array(z.string()),
    note: z.string().nullable(),
  }),
  replacedBy: replacement.nullable().describe("the transaction that took this one's place"),
  replaces: replacement.nullable().describe("the transaction whose place this one took"),
  evidenceUrl: z.string().nullable(),
  retraction: z
    .strictObject({ reason: z.enum(["reorg", "replaced", "dropped", "recomputed", "entryWithdrawn"]), at: timestamp })
    .nullable(),
});
export type AlertData = z.infer<typeof alertData>;

const envelope = {
  timestamp,
  schemaVersion: z.literal("1"),
  replay: z.boolean(),
  test: z.boolean(),
};

export const alertBody = z.strictObject({
  type: z.enum(["alert.created", "alert.updated", "alert.finalized", "alert.retracted"]),
  ...envelope,
  data: alertData,
});
export type AlertBody = z.infer<typeof alertBody>;

const systemData = z.strictObject({
  subject: z.string().describe("what it is about: a chain, the queue, a sink, a watchlist, a group of alerts"),
  severity: z.enum(SEVERITIES),
  summary: z.string(),
  since: timestamp,
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});

export const systemBody = z.strictObject({
  type: z.enum([
    "system.degraded",
    "system.recovered",
    "system.heartbeat",
    "endpoint.failing",
    "endpoint.recovered",
    "coverage.gap",
    "provider.dispute",
    "watchlist.changed",
    "watchlist.importRefused",
    "watchlist.due",
    "watchlist.scanned",
  ]),
  ...envelope,
  data: systemData,
});
export type SystemBody = z.infer<typeof systemBody>;

/** Alerts that were not told one by one. */
export const digestBody = z.strictObject({
  type: z.literal("group.digest"),
  ...envelope,
  data: systemData.extend({
    assets: z
      .array(z.strictObject({ id: z.string().describe("CAIP-19"), alerts: z.int().positive(), amount }))
      .describe("what the held alerts add up to, by asset; the first 10"),
    largest: z
      .array(
        z.strictObject({ alertId: z.string(), stage: z.string().describe("as of this digest"), summary: z.string() }),
      )
      .describe("the largest held alerts, at most 20"),
  }),
});
export type DigestBody = z.infer<typeof digestBody>;

/** Payments of one customer that are more together than any of them alone, or are not any more. */
export const paymentsBody = z.strictObject({
  type: z.enum(["payments.summed", "payments.withdrawn"]),
  ...envelope,
  data: systemData.extend({
    customerRef: z.string().nullable(),
    own: z.string().nullable().describe("the own address, where no customer's reference is known"),
    until: timestamp.describe("time of the last of them; `since` is that of the first"),
    usdCents: z.string().regex(/^\d+$/).nullable().describe("of all of them; null once withdrawn"),
    alerts: z
      .array(z.strictObject({ alertId: z.string(), severity: z.enum(SEVERITIES), usdCents: z.string().regex(/^\d+$/) }))
      .describe("their alerts, the largest first, at most 20"),
  }),
});
export type PaymentsBody = z.infer<typeof paymentsBody>;

/** Everything heistwatch sends to a webhook. */
export const messageBody = z.discriminatedUnion("type", [alertBody, systemBody, digestBody, paymentsBody]);

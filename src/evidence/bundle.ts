/** The form of an evidence bundle; docs/evidence.md says it for others. A field more or less makes it another format. */
import { z } from "zod";
import { ACTIONS, SEVERITIES } from "../types/alert.ts";
import { TRANSFER_CATEGORIES } from "../types/chain.ts";
import { TRIAGE_STATES } from "../types/triage.ts";
import { ENTRY_BASES, ENTRY_CONFIDENCES, ENTRY_ROLES } from "../types/watch.ts";

export const FORMAT = "heistwatch-evidence/1";

const text = z.string();
const moment = z.iso.datetime().describe("UTC");
const amount = z
  .string()
  .regex(/^(?:0|[1-9]\d*)$/)
  .describe("base units, decimal");
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().nonnegative();

const alert = z.strictObject({
  alertId: text,
  chain: z.strictObject({ id: text, name: text }),
  transaction: text.describe("its hash; withdrawal-<index> or reward-<block> for what belongs to no transaction"),
  subject: text.describe("the party the alert is about"),
  kind: z.enum(["exposure", "movement"]),
  stage: z.enum(["announced", "pending", "included", "final", "retracted"]),
  severity: z.enum(SEVERITIES),
  action: z.enum(ACTIONS),
  summary: text,
  revision: count,
  createdAt: moment,
  updatedAt: moment,
});

const block = z.strictObject({ number: count, hash: text, timestamp: count.describe("Unix seconds") });

const entry = z.strictObject({
  id: text,
  list: text,
  version: text.describe("of the list when it matched"),
  chain: text,
  address: text,
  label: text,
  role: z.enum(ENTRY_ROLES),
  incident: text,
  basis: z.enum(ENTRY_BASES),
  confidence: z.enum(ENTRY_CONFIDENCES),
  independentSources: count,
  sanctioned: z.strictObject({ list: text, source: text }).nullable(),
  note: text.nullable(),
  case: text.nullable(),
  addedBy: text.nullable(),
  addedAt: moment.nullable(),
  validFrom: text.nullable(),
  validUntil: text.nullable(),
  sources: z.array(z.strictObject({ ref: text, label: text.nullable(), quoted: text.nullable() })),
});

const match = z.strictObject({
  side: z.enum(["from", "to"]),
  basis: z.enum(["exact", "sameKey", "keyEquivalent"]),
  ended: z.boolean().describe("the entry's dates were over when this moved"),
  incident: z
    .strictObject({
      id: text,
      name: text,
      date: text.nullable(),
      attribution: text.nullable(),
      attributionBasis: text.nullable(),
      disputed: z.boolean(),
    })
    .nullable(),
  entry,
});

const value = z
  .strictObject({
    usdCents: amount.nullable(),
    why: text.nullable().describe("why usdCents is null"),
    usdPerUnit: text.nullable(),
    source: text.nullable(),
    updatedAt: moment.nullable().describe("of the price feed"),
    comparedWith: text.nullable(),
    note: text.nullable(),
  })
  .nullable()
  .describe("null: nobody looked");

const transfer = z.strictObject({
  hitId: text,
  key: text,
  category: z.enum(TRANSFER_CATEGORIES),
  txHash: text,
  txIndex: z.int().min(-1),
  from: text.nullable(),
  to: text.nullable(),
  asset: z.strictObject({ id: text, symbol: text.nullable(), decimals: count.nullable(), listed: z.boolean() }),
  amount,
  status: z.enum(["pending", "included", "disputed", "removed", "final"]),
  own: z
    .strictObject({ side: z.enum(["from", "to"]), address: text, customerRef: text.nullable(), wallet: text })
    .nullable(),
  value,
  matches: z.array(match),
});

const trust = z.strictObject({
  operators: z.array(text).describe("their nodes named this block hash"),
  missing: z.array(text),
  disputing: z.array(text),
  configured: count,
  proven: z.boolean().describe("every part of the block was held against its hash when it was scanned"),
  traced: z.boolean(),
  inputsTold: z.boolean().describe("what spent coins were was the node's word"),
});

const revision = z.strictObject({
  revision: count,
  webhookId: text,
  type: text,
  body: text.describe("as it was sent"),
});

const attempt = z.strictObject({
  at: moment,
  durationMs: count,
  result: text,
  status: count.nullable().describe("of HTTP"),
  error: text.nullable(),
});

const delivery = z.strictObject({
  deliveryId: text,
  webhookId: text,
  replayOf: text.nullable(),
  revision: count,
  sink: text,
  fallbackFor: text.nullable(),
  state: z.enum(["pending", "delivered", "dead"]),
  deadReason: text.nullable(),
  createdAt: moment,
  deliveredAt: moment.nullable(),
  attempts: z.array(attempt),
});

const caseState = z.strictObject({
  state: z.enum(TRIAGE_STATES),
  version: count,
  assignee: text.nullable(),
  dueAt: moment.nullable(),
  reason: text.nullable(),
});

const act = z.strictObject({
  at: moment,
  actor: text,
  action: text,
  why: text.nullable(),
  before: caseState.nullable(),
  after: caseState.nullable(),
});

export const PARTS = {
  alert,
  block: block.nullable().describe("null: it was in no block"),
  transfers: z.array(transfer).min(1),
  trust: trust.describe("what the daemon knew of the block when it told it"),
  proof: z.looseObject({}).nullable().describe("in the form of its chain family"),
  lacks: z.array(text).describe("what could not be had when the bundle was made, and why"),
  revisions: z.array(revision),
  deliveries: z.array(delivery),
  triage: z.strictObject({ case: caseState.nullable(), history: z.array(act) }),
  flow: z.null().describe("the path of followed funds, edge by edge; nothing follows funds yet"),
} as const;

export type PartName = keyof typeof PARTS;
export const PART_NAMES = Object.keys(PARTS) as PartName[];

const parts = z.strictObject(PARTS);
const digest = z.strictObject({ bytes: count, sha256 });

const manifest = z.strictObject({
  format: z.literal(FORMAT),
  alertId: text,
  chain: text,
  madeAt: moment,
  madeBy: text.describe("heistwatch and its version"),
  parts: z
    .strictObject(Object.fromEntries(PART_NAMES.map((name) => [name, digest])) as Record<PartName, typeof digest>)
    .describe("of the canonical JSON of each part"),
});

const signature = z.strictObject({
  algorithm: z.literal("ed25519"),
  keyId: z.string().describe("first 16 hex digits of the SHA-256 of the key's 32 bytes"),
  publicKey: z.string().describe("hwpk_ and base64"),
  value: z.string().describe("base64, over the canonical JSON of the manifest"),
});

export const bundleSchema = z.strictObject({ manifest, parts, signature });

export type Bundle = z.output<typeof bundleSchema>;
export type BundleParts = Bundle["parts"];
export type Manifest = Bundle["manifest"];
export type BundleTransfer = BundleParts["transfers"][number];

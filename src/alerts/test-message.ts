/** A message that says of itself that nothing happened: what `heistwatch sinks test` sends. Pure. */
import { hashId } from "../lib/ids.ts";
import type { Message } from "../types/alert.ts";
import type { AlertBody } from "./body-schema.ts";

// The zero hash and address of Ethereum: nobody can take them for a transaction or a customer of theirs.
const NOWHERE = `0x${"0".repeat(40)}`;
const NO_HASH = `0x${"0".repeat(64)}`;
const CHAIN = "eip155:1";

const WATCH: AlertBody["data"]["watch"][number] = {
  list: "test",
  version: "1",
  entry: `test/${CHAIN}/${NOWHERE}`,
  address: NOWHERE,
  side: "from",
  label: "test entry",
  role: "theft",
  incident: "test",
  incidentName: "Test",
  attribution: null,
  attributionDisputed: false,
  basis: "researcher",
  independentSources: 0,
  sanctioned: null,
  match: "exact",
  sources: [],
};

/**
 * The two revisions of one test: told, then taken back, so that a sink that keeps state ends as it was. `nonce` makes
 * each test an alert of its own; `now` is unix milliseconds.
 */
export function testMessages(of: { readonly nonce: string; readonly now: number }): readonly [Message, Message] {
  const alertId = hashId("alr", ["test", of.nonce]);
  const at = new Date(of.now).toISOString();
  const created = bodyOf(alertId, at);
  const { data } = created;
  const retracted: AlertBody = {
    ...created,
    type: "alert.retracted",
    data: {
      ...data,
      revision: 2,
      stage: "retracted",
      summary: "The test of heistwatch is over. Nothing happened.",
      retraction: { reason: "recomputed", at },
    },
  };
  return [messageOf(created), messageOf(retracted)];
}

function messageOf(body: AlertBody): Message {
  const { alertId, revision, severity } = body.data;
  const webhookId = hashId("msg", [alertId, String(revision)]);
  return { webhookId, type: body.type, body: JSON.stringify(body), severity, alertId, revision };
}

function bodyOf(alertId: string, at: string): AlertBody {
  return {
    type: "alert.created",
    timestamp: at,
    schemaVersion: "1",
    replay: false,
    test: true,
    data: {
      alertId,
      revision: 1,
      stage: "pending",
      kind: "movement",
      severity: "info",
      action: "none",
      late: false,
      retroactive: false,
      summary: "This is a test of heistwatch: if you read it, alerts reach you here. Nothing happened.",
      chain: { id: CHAIN, name: "test" },
      block: null,
      transaction: { hash: NO_HASH, index: null },
      transfers: [
        {
          hitId: hashId("hit", [alertId]),
          key: "native",
          category: "native",
          from: NOWHERE,
          to: NOWHERE,
          asset: { id: `${CHAIN}/slip44:60`, symbol: "ETH", decimals: 18, listed: true },
          amount: "0",
          amountDecimal: "0",
          usdCents: null,
          price: null,
          valueUnknown: null,
        },
      ],
      transfersTotal: 1,
      own: null,
      exposure: { type: "direct", hops: 1, incidents: ["test"] },
      watch: [WATCH],
      watchTotal: 1,
      score: { amount: 0, share: 0, proximity: 0, confidence: 0, total: 0, reasons: [], caps: [] },
      trust: {
        proven: false,
        agreed: "0/0",
        verified: false,
        singleOperator: true,
        disputed: false,
        traced: false,
        operators: [],
        missing: [],
        note: null,
      },
      replacedBy: null,
      replaces: null,
      evidenceUrl: null,
      retraction: null,
    },
  };
}

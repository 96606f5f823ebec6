/** `alerts.evidence`, by command line and by HTTP: one alert as a signed bundle, made anew, and written down who had it made. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { decodeHit, encodeHit } from "../store/codec.ts";
import { createStateCodec } from "../alerts/state-codec.ts";
import type { BundleParts } from "../evidence/bundle.ts";
import type { EvidenceKey } from "../evidence/keys.ts";
import { makeBundle } from "../evidence/make-bundle.ts";
import { renderPage } from "../evidence/page.ts";
import { verifyBundle } from "../evidence/verify-bundle.ts";
import { assert } from "../lib/assert.ts";
import { ConfigError, NotFoundError } from "../lib/errors.ts";
import { evidenceReaderOf } from "../chains/registry.ts";
import type { AlertStore } from "../store/alert-store.ts";
import type { DeliveryStore } from "../store/delivery-store.ts";
import type { People } from "../store/people.ts";
import type { TriageStore } from "../store/triage-store.ts";
import type { EvidenceClaims, FoundEvidence } from "../types/evidence.ts";
import type { TriageCase } from "../types/triage.ts";
import type { AuditRecord } from "../types/watch-change.ts";
import { partsOf } from "./evidence-parts.ts";
import { createPersonCalls, type PersonCalls } from "./person-calls.ts";

export interface EvidenceCallDeps {
  readonly alerts: AlertStore;
  readonly deliveries: DeliveryStore;
  readonly triage: Pick<TriageStore, "note">;
  readonly caseOf: (alertId: string) => Promise<TriageCase | null>;
  readonly historyOf: (alertId: string) => Promise<readonly AuditRecord[]>;
  readonly people: People;
  /** Asks the chain's nodes; what is lacking says why. */
  readonly find: (claims: EvidenceClaims) => Promise<FoundEvidence>;
  readonly chainName: (chain: string) => string;
  readonly operatorsConfigured: (chain: string) => number;
  /** Null: none is configured. */
  readonly key: EvidenceKey | null;
  readonly version: string;
  readonly now: () => number;
}

/** What is handed out. */
export interface MadeEvidence {
  /** The file, as it is to be written. */
  readonly text: string;
  /** Of the bundle, which a page holds inside. */
  readonly sha256: string;
}

const DELIVERIES_MAX = 1_000;
const schemas = {
  "alerts.evidence": z.strictObject({
    alertId: z.string().regex(/^[!-~]{1,64}$/),
    format: z.enum(["json", "html"]).default("json"),
  }),
} as const;
const { decode } = createStateCodec({ encodeHit, decodeHit });

export function createEvidenceCalls(deps: EvidenceCallDeps): PersonCalls {
  const { people, now, triage } = deps;
  return createPersonCalls(
    {
      schemas,
      // It speaks in the house's name.
      leastRole: { "alerts.evidence": "investigator" },
      handlers: {
        "alerts.evidence": async ({ alertId, format }, actor) => {
          const made = await makeEvidence(deps, alertId, format);
          await triage.note({
            alertId,
            actor: actor.name,
            action: "evidence",
            note: `sha256 ${made.sha256}`,
            now: now(),
          });
          return made;
        },
      },
    },
    { people, now },
  );
}

async function makeEvidence(deps: EvidenceCallDeps, alertId: string, format: "json" | "html"): Promise<MadeEvidence> {
  const { key, now, version } = deps;
  if (key === null)
    throw new ConfigError(
      "no evidence key is configured: make one (heistwatch evidence keygen) and name it as evidence.key",
    );
  const parts = await proven(deps, await storedParts(deps, alertId));
  const text = makeBundle({ parts, key, now: now(), version });
  const verdict = verifyBundle(Buffer.from(text), { readerOf: evidenceReaderOf });
  assert(verdict.ok, `a bundle that we make verifies: ${verdict.ok ? "" : verdict.reason}`);
  const sha256 = createHash("sha256").update(text).digest("hex");
  return { text: format === "json" ? text : renderPage(verdict.findings, text), sha256 };
}

async function storedParts(deps: EvidenceCallDeps, alertId: string): Promise<BundleParts> {
  const [found, triage] = [await deps.alerts.show(alertId), await deps.caseOf(alertId)];
  if (found === null || found.alert.state === "") throw new NotFoundError(`there is no alert ${alertId}`);
  const { alert, messages } = found;
  const deliveries = await deps.deliveries.list({ limit: DELIVERIES_MAX, offset: 0, alertId });
  const tried = await Promise.all(deliveries.map(({ deliveryId }) => deps.deliveries.attempts(deliveryId)));
  return partsOf({
    alert,
    state: decode(alert.state),
    chainName: deps.chainName(alert.chain),
    configured: deps.operatorsConfigured(alert.chain),
    messages,
    deliveries: deliveries.map((delivery, at) => ({ ...delivery, tried: tried[at] ?? [] })),
    triage,
    history: await deps.historyOf(alertId),
  });
}

async function proven(deps: EvidenceCallDeps, parts: BundleParts): Promise<BundleParts> {
  const { block, alert } = parts;
  if (block === null) return parts;
  const transfers = parts.transfers.map(({ asset, ...transfer }) => ({ ...transfer, assetId: asset.id }));
  const { proof, lacks } = await deps.find({ chain: alert.chain.id, block, transfers });
  // As the file will say it: an optional field is not there, or is.
  return { ...parts, proof: proof as BundleParts["proof"], lacks: [...parts.lacks, ...lacks] };
}

/** `alerts.evidence`, wired: inside a running daemon, or by the command line on the store itself. */
import { createChainPool } from "../chains/registry.ts";
import type { NodePool } from "../chains/pool/node-pool.ts";
import { parseEvidenceKey } from "../evidence/keys.ts";
import { systemClock } from "../lib/clock.ts";
import { createAlertStore } from "../store/alert-store.ts";
import type { OpenStore } from "../store/database.ts";
import { createDeliveryStore } from "../store/delivery-store.ts";
import { createPeople } from "../store/people.ts";
import { readCaseHistory, readCases } from "../store/triage-reader.ts";
import { createTriageStore } from "../store/triage-store.ts";
import type { ChainConfig, Config } from "../types/config.ts";
import type { EvidenceClaims, FoundEvidence } from "../types/evidence.ts";
import { createEvidenceCalls } from "./evidence-calls.ts";
import { foldContext } from "./fold-context.ts";
import type { PersonCalls } from "./person-calls.ts";
import type { NamedPool } from "./pools.ts";
import { VERSION } from "./version.ts";

export interface OpenEvidenceOptions {
  readonly config: Config;
  readonly store: Pick<OpenStore, "db">;
  /** Of the running daemon; null: none runs in this process, and the nodes are asked for this one call. */
  readonly pools: readonly NamedPool[] | null;
}

// Below what the command line waits for an answer of the daemon.
const ASK_MS = 50_000;

export function openEvidenceCalls({ config, store: { db }, pools }: OpenEvidenceOptions): PersonCalls {
  const { chainName, operatorsConfigured } = foldContext(config);

  async function find(claims: EvidenceClaims): Promise<FoundEvidence> {
    const signal = AbortSignal.timeout(ASK_MS);
    const chain = config.chains.find(({ id }) => id === claims.chain);
    if (chain === undefined)
      return {
        proof: null,
        lacks: ["Nothing of the chain is proven: its nodes are not in the configuration any more."],
      };
    const running = pools?.find((one) => one.chain === chain.name);
    if (running !== undefined) return running.pool.evidence(claims, signal);
    const pool = poolFor(chain);
    try {
      return await pool.evidence(claims, signal);
    } finally {
      await pool.close();
    }
  }

  return createEvidenceCalls({
    alerts: createAlertStore(db),
    deliveries: createDeliveryStore(db),
    triage: createTriageStore(db),
    caseOf: async (alertId) => (await readCases(db, [alertId])).get(alertId) ?? null,
    historyOf: (alertId) => readCaseHistory(db, alertId),
    people: createPeople(db),
    find,
    chainName,
    operatorsConfigured,
    key: config.evidence.key === null ? null : parseEvidenceKey(config.evidence.key),
    version: VERSION,
    now: () => systemClock.now(),
  });
}

function poolFor(chain: ChainConfig): NodePool {
  const silent = () => undefined;
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  return createChainPool({ chain, log, now: () => systemClock.now(), onLie: silent });
}

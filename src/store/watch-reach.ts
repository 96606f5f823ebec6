/** What an address or an entry touches, as far as stored hits tell: transfers of watched addresses only. */
import type { Db } from "./database.ts";
import { decodeHit } from "./codec.ts";
import type { Hit } from "../types/hit.ts";
import type { Stage } from "../types/alert.ts";
import type { Severity } from "../types/alert.ts";

export interface AddressReach {
  readonly transfers: number;
  /** Distinct addresses on the other side. */
  readonly counterparties: number;
  /** Distinct customers of own addresses in those transfers. */
  readonly customers: readonly string[];
}

export interface ImpactDelivery {
  readonly sink: string;
  readonly state: string;
  readonly count: number;
}

/** What an entry caused. */
export interface EntryImpact {
  readonly hits: number;
  readonly alerts: readonly {
    readonly alertId: string;
    readonly stage: Stage;
    readonly severity: Severity;
    readonly summary: string;
    /** No other entry stands behind it. */
    readonly restsOnItAlone: boolean;
  }[];
  readonly customers: readonly string[];
  readonly deliveries: readonly ImpactDelivery[];
}

export interface ReachStore {
  ofAddress(of: { address: string; since: number }): Promise<AddressReach>;
  ofEntry(entryId: string): Promise<EntryImpact>;
}

export function createReachStore(db: Db): ReachStore {
  return {
    async ofAddress({ address, since }) {
      const rows = await db
        .selectFrom("hit")
        .select("payload")
        .where("created_at", ">=", since)
        .where("payload", "like", `%${JSON.stringify(address)}%`)
        .execute();
      const hits = rows.map((row) => decodeHit(row.payload)).filter(({ transfer }) => isParty(transfer, address));
      const others = hits.flatMap(({ transfer: { from, to } }) => [from, to]).filter((one) => one !== address);
      return {
        transfers: hits.length,
        counterparties: new Set(others.filter((one) => one !== null)).size,
        customers: customersOf(hits),
      };
    },

    async ofEntry(entryId) {
      const rows = await db
        .selectFrom("hit_entry")
        .innerJoin("hit", "hit.hit_id", "hit_entry.hit_id")
        .select(["hit.alert_id", "hit.payload"])
        .where("hit_entry.entry_id", "=", entryId)
        .execute();
      const hits = rows.map((row) => ({ alertId: row.alert_id, hit: decodeHit(row.payload) }));
      const shared = new Set(hits.filter(({ hit }) => namesOthers(hit, entryId)).map(({ alertId }) => alertId));
      const alertIds = db
        .selectFrom("hit_entry")
        .innerJoin("hit", "hit.hit_id", "hit_entry.hit_id")
        .select("hit.alert_id");
      const ofEntry = alertIds.where("hit_entry.entry_id", "=", entryId);
      const alerts = await db
        .selectFrom("alert")
        .select(["alert_id", "stage", "severity", "summary"])
        .where("alert_id", "in", ofEntry)
        .where("revision", ">", 0)
        .orderBy("created_at")
        .execute();
      const deliveries = await db
        .selectFrom("delivery")
        .innerJoin("message", "message.webhook_id", "delivery.webhook_id")
        .select((eb) => ["delivery.sink", "delivery.state", eb.fn.countAll<number>().as("count")])
        .where("message.alert_id", "in", ofEntry)
        .groupBy(["delivery.sink", "delivery.state"])
        .orderBy("delivery.sink")
        .orderBy("delivery.state")
        .execute();
      return {
        hits: hits.length,
        alerts: alerts.map((row) => ({
          alertId: row.alert_id,
          stage: row.stage as Stage,
          severity: row.severity as Severity,
          summary: row.summary,
          restsOnItAlone: !shared.has(row.alert_id),
        })),
        customers: customersOf(hits.map(({ hit }) => hit)),
        deliveries,
      };
    },
  };
}

function isParty({ from, to }: Hit["transfer"], address: string): boolean {
  return from === address || to === address;
}

function namesOthers(hit: Hit, entryId: string): boolean {
  return hit.matches.some(({ entry }) => entry.id !== entryId);
}

function customersOf(hits: readonly Hit[]): string[] {
  const customers = hits.map(({ own }) => (own === null ? null : (own.address.customerRef ?? own.address.address)));
  return [...new Set(customers.filter((one) => one !== null))].toSorted();
}

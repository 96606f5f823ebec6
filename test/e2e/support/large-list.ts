/** A list of as many addresses as asked for, put straight into the store. */
import { Client } from "pg";
import { migrate, openStore } from "../../../src/store/database.ts";

/** Of the many: digits only, which have no upper case. */
export const largeListAddress = (place: number) => `0x${(1e15 + place * 7_919).toString().padStart(40, "3")}`;

/** Into an empty store, as if an import had brought them: rows like those that it writes. */
export async function fillLargeList(databaseUrl: string, size: number): Promise<void> {
  const store = await openStore({ databaseUrl, dataDir: "" });
  await migrate(store.db);
  await store.close();
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const incident = { id: "large", name: "Large", kind: "theft", date: "2026-01-01", attribution: null };
  const more = { attributionBasis: null, disputed: false, lossUsd: null, references: [], note: null };
  await client.query("insert into watch_list values ('large', 1, '1', $1, null)", [
    JSON.stringify({ ...incident, ...more }),
  ]);
  const entry = {
    id: "large/eip155:1/@",
    list: "large",
    listVersion: "1",
    chain: "eip155:1",
    address: "@",
    incident: "large",
    role: "theft",
    label: "one of many",
    basis: "researcher",
    confidence: "named_by_researcher",
    independentSources: 1,
    sanctioned: null,
    default: "on",
    direction: "both",
    custodian: null,
    note: null,
    sources: [{ ref: "https://example.org/report", label: null }],
  };
  await client.query(
    `insert into watch_entry
     select replace('large/eip155:1/@', '@', address), 'large', 'eip155:1', address, replace($1, '@', address), 'd', null
     from (
       select '0x' || lpad((1000000000000000 + place * 7919)::text, 40, '3') as address
       from generate_series(0::int8, $2::int8 - 1) as place
     ) as listed`,
    [JSON.stringify(entry), size],
  );
  await client.query("vacuum analyze watch_entry");
  await client.end();
}

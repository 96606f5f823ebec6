import { createAlertStore } from "../../src/store/alert-store.ts";
import { createChainStore } from "../../src/store/chain-store.ts";
import { migrate, type OpenStore, openStore } from "../../src/store/database.ts";
import { createDeliveryStore } from "../../src/store/delivery-store.ts";
import { createEvidenceStore } from "../../src/store/evidence.ts";
import { createLeases } from "../../src/store/leases.ts";
import { createOutbox } from "../../src/store/outbox.ts";
import { createPendingStore } from "../../src/store/pending-store.ts";
import { sleep } from "../../src/lib/sleep.ts";
import { storeConformance, type StoreUnderTest } from "../conformance/store.ts";
import { startPostgres } from "../support/postgres.ts";
import { createTempDir } from "../support/temp-dir.ts";

async function coverageOf({ db }: OpenStore, chain: string) {
  const rows = await db.selectFrom("coverage").selectAll().where("chain", "=", chain).orderBy("from_number").execute();
  return rows.map((row) => ({
    from: row.from_number,
    to: row.to_number,
    operators: row.operators.split(","),
    listVersion: row.list_version,
  }));
}

async function underTest(opened: OpenStore, cleanUp: () => Promise<void>): Promise<StoreUnderTest> {
  await migrate(opened.db);
  return {
    leases: createLeases(opened.db),
    chains: createChainStore(opened.db),
    pending: createPendingStore(opened.db),
    alerts: createAlertStore(opened.db),
    deliveries: createDeliveryStore(opened.db),
    outbox: createOutbox(opened.db),
    evidence: createEvidenceStore(opened.db),
    coverage: (chain) => coverageOf(opened, chain),
    passTime: (ms) => sleep(ms),
    async close() {
      await opened.close();
      await cleanUp();
    },
  };
}

storeConformance("the store on PGlite", async () => {
  const folder = createTempDir("store");
  return underTest(await openStore({ databaseUrl: null, dataDir: folder.path }), () => folder.remove());
});

storeConformance("the store on Postgres", async () => {
  const server = await startPostgres();
  const databaseUrl = await server.createDatabase("conformance");
  return underTest(await openStore({ databaseUrl, dataDir: "" }), () => server.stop());
});

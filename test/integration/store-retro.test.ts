import { openStore } from "../../src/store/database.ts";
import { retroConformance } from "../conformance/store-retro.ts";
import { startPostgres } from "../support/postgres.ts";
import { createTempDir } from "../support/temp-dir.ts";

retroConformance("PGlite", async () => {
  const folder = createTempDir("retro");
  return { store: await openStore({ databaseUrl: null, dataDir: folder.path }), close: () => folder.remove() };
});

retroConformance("Postgres", async () => {
  const server = await startPostgres();
  const databaseUrl = await server.createDatabase("retro");
  return { store: await openStore({ databaseUrl, dataDir: "" }), close: () => server.stop() };
});

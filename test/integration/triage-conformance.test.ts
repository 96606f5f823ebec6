import { openStore } from "../../src/store/database.ts";
import { triageConformance } from "../conformance/store-triage.ts";
import { startPostgres } from "../support/postgres.ts";
import { createTempDir } from "../support/temp-dir.ts";

triageConformance("PGlite", async () => {
  const folder = createTempDir("triage");
  const opened = await openStore({ databaseUrl: null, dataDir: folder.path });
  return {
    opened,
    async close() {
      await opened.close();
      await folder.remove();
    },
  };
});

triageConformance("Postgres", async () => {
  const server = await startPostgres();
  const databaseUrl = await server.createDatabase("triage");
  const opened = await openStore({ databaseUrl, dataDir: "" });
  return {
    opened,
    async close() {
      await opened.close();
      await server.stop();
    },
  };
});

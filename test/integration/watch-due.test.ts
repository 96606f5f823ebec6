import { openStore } from "../../src/store/database.ts";
import { watchDueConformance } from "../conformance/store-watch-due.ts";
import { startPostgres } from "../support/postgres.ts";
import { createTempDir } from "../support/temp-dir.ts";

watchDueConformance("PGlite", async () => {
  const folder = createTempDir("watch-due");
  const opened = await openStore({ databaseUrl: null, dataDir: folder.path });
  return {
    opened,
    async close() {
      await opened.close();
      await folder.remove();
    },
  };
});

watchDueConformance("Postgres", async () => {
  const server = await startPostgres();
  const databaseUrl = await server.createDatabase("watch_due");
  const opened = await openStore({ databaseUrl, dataDir: "" });
  return {
    opened,
    async close() {
      await opened.close();
      await server.stop();
    },
  };
});

import { openStore } from "../../src/store/database.ts";
import { watchConformance } from "../conformance/store-watch.ts";
import { startPostgres } from "../support/postgres.ts";
import { createTempDir } from "../support/temp-dir.ts";

watchConformance("PGlite", async () => {
  const folder = createTempDir("watch");
  const opened = await openStore({ databaseUrl: null, dataDir: folder.path });
  return {
    opened,
    async close() {
      await opened.close();
      await folder.remove();
    },
  };
});

watchConformance("Postgres", async () => {
  const server = await startPostgres();
  const databaseUrl = await server.createDatabase("watch");
  const opened = await openStore({ databaseUrl, dataDir: "" });
  return {
    opened,
    async close() {
      await opened.close();
      await server.stop();
    },
  };
});

/** A suite on each database that the store runs on: PGlite in a folder, and a Postgres server of its own. */
import { type OpenStore, openStore } from "../../src/store/database.ts";
import { startPostgres } from "./postgres.ts";
import { createTempDir } from "./temp-dir.ts";

export interface StoreToTest {
  readonly opened: OpenStore;
  readonly close: () => Promise<void>;
}

/** `label`: of the folder and the database, letters and digits. */
export function onEachStore(label: string, suite: (name: string, open: () => Promise<StoreToTest>) => void): void {
  suite("PGlite", async () => {
    const folder = createTempDir(label);
    const opened = await openStore({ databaseUrl: null, dataDir: folder.path });
    return {
      opened,
      async close() {
        await opened.close();
        await folder.remove();
      },
    };
  });
  suite("Postgres", async () => {
    const server = await startPostgres();
    const opened = await openStore({ databaseUrl: await server.createDatabase(label), dataDir: "" });
    return {
      opened,
      async close() {
        await opened.close();
        await server.stop();
      },
    };
  });
}

/**
 * The peers' work by Envio over JSON-RPC into a Postgres of its own. See ../run-peer.ts for the protocol.
 *
 *     node run.ts <http url> <first block> <last block> <file with a JSON list of addresses>
 *
 * URL and blocks are those that generate.ts was run with: Envio compiles them in.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import pg from "pg";
import { freePort } from "../../../test/support/free-port.ts";
import { startPostgres } from "../../../test/support/postgres.ts";
import { logLinesUntil } from "../indexer-log.ts";

const file = process.argv[5];
const postgres = await startPostgres();
try {
  const database = await postgres.createDatabase("envio");
  await runIndexer();
  const client = new pg.Client({ connectionString: database });
  await client.connect();
  const { rows } = await client.query<{ events: number }>('SELECT count(*)::int AS events FROM "Transfer"');
  await client.end();
  console.log(JSON.stringify(rows[0]));
} finally {
  await postgres.stop();
}

async function runIndexer(): Promise<void> {
  const indexer = spawn(process.execPath, ["src/Index.res.js"], {
    cwd: path.join(import.meta.dirname, "node_modules/generated"),
    env: {
      ...process.env,
      PEER_LIST: file,
      ENVIO_PG_HOST: "127.0.0.1",
      ENVIO_PG_PORT: String(postgres.port),
      ENVIO_PG_USER: "postgres",
      ENVIO_PG_PASSWORD: "none",
      ENVIO_PG_DATABASE: "envio",
      ENVIO_INDEXER_PORT: String(await freePort()),
      ENVIO_HASURA: "false",
      TUI_OFF: "true",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(indexer, "exit");
  for await (const line of logLinesUntil("All chains are caught up to end blocks", indexer))
    if (line.includes("Starting indexing!")) console.log("started");
  await ended;
}

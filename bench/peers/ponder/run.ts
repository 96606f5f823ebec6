/**
 * The peers' work by Ponder over JSON-RPC into PGlite, its own default database. See ../run-peer.ts for the protocol.
 *
 *     node run.ts <http url> <first block> <last block> <file with a JSON list of addresses>
 *
 * Ponder also asks for the block before the first.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { logLinesUntil } from "../indexer-log.ts";

const [url, first, last, file] = process.argv.slice(2);
// Ponder keeps its database and what it generates in the project's folder: a copy, for a cold start.
const project = mkdtempSync(path.join(tmpdir(), "heistwatch-ponder-"));
cpSync(path.join(import.meta.dirname, "project"), project, { recursive: true });
symlinkSync(path.join(import.meta.dirname, "node_modules"), path.join(project, "node_modules"));

const program = path.join(import.meta.dirname, "node_modules/ponder/dist/esm/bin/ponder.js");
const ponder = spawn(
  process.execPath,
  [program, "--log-format", "json", "start", "--schema", "peer", "--hostname", "127.0.0.1"],
  {
    cwd: project,
    env: {
      ...process.env,
      PONDER_TELEMETRY_DISABLED: "1",
      PEER_URL: url,
      PEER_FIRST: first,
      PEER_LAST: last,
      PEER_LIST: file,
    },
    stdio: ["ignore", "pipe", "inherit"],
  },
);
const ended = once(ponder, "exit");
let port = "";
for await (const line of logLinesUntil("Completed indexing across all chains", ponder)) {
  port = /"msg":"Created HTTP server","port":(\d+)/.exec(line)?.[1] ?? port;
  if (line.includes("Started backfill indexing")) console.log("started");
}
const answer = await fetch(`http://127.0.0.1:${port}/events`);
console.log(await answer.text());
// Its work is done and its database goes with the folder.
ponder.kill("SIGKILL");
await ended;

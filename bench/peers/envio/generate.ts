/**
 * Lets Envio generate and compile its indexer into node_modules/generated, for one node and one range of blocks.
 *
 *     node generate.ts <http url> <first block> <last block>
 */
import { execFileSync } from "node:child_process";
import path from "node:path";

const [url, first, last] = process.argv.slice(2);
const bin = path.join(import.meta.dirname, "node_modules/.bin");
const noPnpm = path.join(import.meta.dirname, "no-pnpm");
execFileSync(process.execPath, [path.join(bin, "envio"), "codegen"], {
  cwd: import.meta.dirname,
  env: {
    ...process.env,
    PATH: [noPnpm, bin, path.dirname(process.execPath), process.env["PATH"]].join(path.delimiter),
    PEER_URL: url,
    PEER_FIRST: first,
    PEER_LAST: last,
  },
  stdio: ["ignore", "pipe", "pipe"],
});

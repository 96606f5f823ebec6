/**
 * The server of the bench, a process of its own, so that who asks does not share its event loop. Argument: JSON of
 * `ServerOptions`. Tells its parent once it serves; swaps when told how often.
 */
import { letGarbageGrow } from "../../src/lib/collector.ts";
import { migrate, openStore } from "../../src/store/database.ts";
import { NO_OWN } from "../../src/watchlist/own-index.ts";
import { openWatchlist } from "../../src/watchlist/snapshot.ts";
import { serve } from "./serving.ts";

export interface ServerOptions {
  readonly file: string;
  /** Null: PGlite in the folder. */
  readonly databaseUrl: string | null;
  readonly dataDir: string;
}

export type FromServer =
  | { readonly serves: { readonly url: string; readonly token: string; readonly version: string; readonly at: string } }
  | { readonly swapped: { readonly version: string; readonly at: string } };

const NEVER = new AbortController().signal;
const options = JSON.parse(process.argv[2] ?? "") as ServerOptions;
const tell = (message: FromServer) => void process.send?.(message);

letGarbageGrow();
const store = await openStore(options);
await migrate(store.db);
const base = await openWatchlist({ file: options.file, own: NO_OWN }, NEVER);
const serving = await serve({ base, db: store.db });
let swapping: NodeJS.Timeout | undefined;
process.on("message", ({ swapEveryMs }: { swapEveryMs: number | null }) => {
  clearInterval(swapping);
  if (swapEveryMs === null) return;
  swapping = setInterval(() => {
    const { version, at } = serving.swap();
    tell({ swapped: { version, at: String(at) } });
  }, swapEveryMs);
});
process.on("disconnect", () => process.exit(0));
const { url, token } = serving;
tell({ serves: { url, token, version: serving.version(), at: String(process.hrtime.bigint()) } });

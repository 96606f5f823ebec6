/** What logs tell, out of header and receipts alone, both proven: the peers' work. */
import { runOurs } from "./run-ours.ts";

await runOurs(({ logHitsAt }, number) => logHitsAt(number));

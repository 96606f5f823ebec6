/** As it is: header, block and receipts, all roots, all kinds of transfers. */
import { runOurs } from "./run-ours.ts";

await runOurs(({ hitsAt }, number) => hitsAt(number));

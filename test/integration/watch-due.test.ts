import { watchDueConformance } from "../conformance/store-watch-due.ts";
import { onEachStore } from "../support/each-store.ts";

onEachStore("watchdue", watchDueConformance);

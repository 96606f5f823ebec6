import { watchConformance } from "../conformance/store-watch.ts";
import { onEachStore } from "../support/each-store.ts";

onEachStore("watch", watchConformance);

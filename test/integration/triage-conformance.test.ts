import { triageConformance } from "../conformance/store-triage.ts";
import { onEachStore } from "../support/each-store.ts";

onEachStore("triage", triageConformance);

/** `/v1/watch/*`: look at what is watched, change it, decide on what others propose. */
import type { CallGroup } from "./calls.ts";

export const WATCH_ROUTES: CallGroup = {
  group: "watch",
  calls: [
    "import",
    "preview",
    "add",
    "change",
    "review",
    "reviews",
    "remove",
    "suppress",
    "dispute",
    "undo",
    "approve",
    "reject",
    "proposals",
    "proposal",
    "show",
    "search",
    "list",
    "versions",
    "diff",
    "history",
    "impact",
    "upgrade",
    "freshness",
  ],
  large: ["import"],
};

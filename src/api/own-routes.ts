/** `/v1/own/*`: own addresses that people give. */
import type { CallGroup } from "./calls.ts";

export const OWN_ROUTES: CallGroup = {
  group: "own",
  calls: ["add", "remove", "accept", "list", "show"],
  large: ["add", "remove"],
};

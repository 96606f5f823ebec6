/** `/v1/people/*`: who may change what is watched. */
import type { CallGroup } from "./calls.ts";

export const PEOPLE_ROUTES: CallGroup = { group: "people", calls: ["list", "add", "revoke"] };

/** What hygiene found, as the rest of a sentence that begins with the address. Pure. */
import type { HygieneFinding } from "./hygiene.ts";

export function describeFinding(finding: HygieneFinding): string {
  switch (finding.code) {
    case "notAnAddress": {
      const { near } = finding;
      return `is not an address there${near.length === 0 ? "" : `; was it meant to be ${near.join(" or ")}?`}`;
    }
    case "burn":
      return "is a burn address: nobody can send from it, and many send to it by mistake";
    case "own":
      return "is one of our own addresses";
    case "ownSanctioned":
      return "is one of our own addresses, and sanctioned: compliance must know at once";
    case "service":
      return `belongs to a service that thousands of strangers share: ${finding.service.label} (${finding.service.category})`;
    case "lookAlike":
      return `begins and ends like ${finding.of.address} (${finding.of.what}): one may imitate the other`;
    case "keyEquivalent":
      return `has the same key as ${finding.other.address} on ${finding.other.chain}`;
  }
}

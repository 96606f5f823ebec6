/** For `heistwatch check`: where an alert would go. */
import { describeRouting, type RouteFacts, sinksFor } from "../alerts/route.ts";
import type { Config } from "../types/config.ts";

const SAMPLES: readonly Pick<RouteFacts, "severity" | "kind" | "action">[] = [
  { severity: "critical", kind: "exposure", action: "hold" },
  { severity: "medium", kind: "exposure", action: "review" },
  { severity: "medium", kind: "movement", action: "review" },
];

export interface Destination {
  /** What kind of alert. */
  readonly alert: string;
  readonly chain: string;
  readonly sinks: readonly string[];
}

/** Of an alert that no route names by its incident or customer. */
export function destinations({ chains, sinks, routes }: Config): Destination[] {
  const routing = { sinks: sinks.alerts.map(({ name }) => name), routes };
  return SAMPLES.flatMap((sample) =>
    chains.map(({ id, name }) => ({
      alert: `${sample.severity} ${sample.kind}, ${sample.action}`,
      chain: name,
      sinks: sinksFor({ ...sample, chain: id, incidents: [], customers: [] }, routing),
    })),
  );
}

/** The routes in words, then where samples would go; chains that are routed alike are told once. */
export function routingLines(config: Config): string[] {
  const names = config.sinks.alerts.map(({ name }) => name);
  const nameOf = (id: string) => config.chains.find((chain) => chain.id === id)?.name ?? id;
  const groups = Map.groupBy(destinations(config), ({ alert, sinks }) => `${alert}: ${sinks.join(", ")}`);
  const samples = [...groups].map(([text, of]) => {
    const isOfAll = of.length === config.chains.length;
    return isOfAll ? text : `${text} (on ${of.map(({ chain }) => chain).join(", ")})`;
  });
  return [...describeRouting({ sinks: names, routes: config.routes }, nameOf), ...samples];
}

/** Incidents that routes name and no list has: such a route never matches. */
export function unknownIncidents({ routes }: Config, known: Iterable<string>): string[] {
  const ids = new Set(known);
  return [...new Set(routes.flatMap(({ incidents = [] }) => incidents))].filter((id) => !ids.has(id));
}

/**
 * Which sinks an alert is for. Pure.
 *
 * A sink that no route names gets every alert; one that routes name gets what one of them matches. Where that leaves
 * nobody, all sinks get it: no combination of routes makes an alert go nowhere.
 */
import { type Action, type AlertKind, SEVERITIES, type Severity } from "../types/alert.ts";
import type { Hit } from "../types/hit.ts";
import type { Route } from "../types/policy.ts";

/** What routes look at. */
export interface RouteFacts {
  readonly severity: Severity;
  readonly kind: AlertKind;
  readonly action: Action;
  /** CAIP-2. */
  readonly chain: string;
  readonly incidents: readonly string[];
  /** References of the own addresses that are touched. */
  readonly customers: readonly string[];
}

export interface Routing {
  /** Names of the sinks alerts go to. */
  readonly sinks: readonly string[];
  readonly routes: readonly Route[];
}

/** Sinks that get every alert. */
export function defaultSinks({ sinks, routes }: Routing): readonly string[] {
  return sinks.filter((sink) => routes.every(({ to }) => !to.includes(sink)));
}

/** In the order of the configuration; never empty where there is a sink. */
export function sinksFor(facts: RouteFacts, routing: Routing): readonly string[] {
  const { sinks, routes } = routing;
  const unrouted = defaultSinks(routing);
  const named = new Set(routes.filter((route) => matches(route, facts)).flatMap(({ to }) => to));
  const chosen = sinks.filter((sink) => unrouted.includes(sink) || named.has(sink));
  return chosen.length > 0 ? chosen : sinks;
}

/** `hits` is not empty. */
export function routeFacts(
  hits: readonly Hit[],
  { severity, kind, action }: Pick<RouteFacts, "severity" | "kind" | "action">,
): RouteFacts {
  return {
    severity,
    kind,
    action,
    chain: hits[0]?.chain ?? "",
    incidents: [...new Set(hits.flatMap((hit) => hit.matches.map(({ entry }) => entry.incident)))],
    customers: [...new Set(hits.flatMap(({ own }) => own?.address.customerRef ?? []))],
  };
}

function matches(route: Route, facts: RouteFacts): boolean {
  const { minSeverity, kinds, actions, incidents, chains, customers } = route;
  const any = (wanted: readonly string[] | undefined, found: readonly string[]) =>
    wanted === undefined || found.some((one) => wanted.includes(one));
  return (
    (minSeverity === undefined || SEVERITIES.indexOf(facts.severity) >= SEVERITIES.indexOf(minSeverity)) &&
    any(kinds, [facts.kind]) &&
    any(actions, [facts.action]) &&
    any(incidents, facts.incidents) &&
    any(chains, [facts.chain]) &&
    (customers === undefined || facts.customers.some((one) => customers.some((wanted) => isCustomer(one, wanted))))
  );
}

function isCustomer(reference: string, wanted: string): boolean {
  return wanted.endsWith("*") ? reference.startsWith(wanted.slice(0, -1)) : reference === wanted;
}

/** One line for each rule, for `heistwatch check` and the start. `chainName`: what the operator calls a chain. */
export function describeRouting(routing: Routing, chainName: (id: string) => string): string[] {
  const { routes } = routing;
  if (routes.length === 0) return [];
  const unrouted = defaultSinks(routing);
  return [
    ...routes.map((route) => `alerts to ${route.to.join(", ")}: ${describeRoute(route, chainName)}`),
    unrouted.length > 0
      ? `every alert to ${unrouted.join(", ")}`
      : "every sink has a route: what none of them matches goes to all of them",
  ];
}

function describeRoute(route: Route, chainName: (id: string) => string): string {
  const either = (what: string, of: readonly string[] | undefined) =>
    of === undefined ? [] : [`${what} ${of.join(" or ")}`];
  const parts = [
    ...(route.minSeverity === undefined ? [] : [`${route.minSeverity} and above`]),
    ...either("kind", route.kinds),
    ...either("action", route.actions),
    ...either("incident", route.incidents),
    ...either("chain", route.chains?.map(chainName)),
    ...either("customer", route.customers),
  ];
  return parts.length === 0 ? "all" : parts.join(", ");
}

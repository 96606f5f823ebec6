/**
 * Rules that join several values. They read the file as written, not the parsed result: a wrong value elsewhere must
 * not hide these problems, or the person fixes one and meets the next.
 */
import { type Finding, type Path, showText, valueAt, valuesAt } from "./problems.ts";
import { nearest } from "./suggest.ts";

/** What the cross checks need of `config/chains/<name>.yaml`. */
export interface KnownChain {
  readonly id: string;
  readonly family: string;
  readonly windowDepth: number;
  readonly finality: { readonly by: "tag" } | { readonly by: "depth"; readonly depth: number };
}

export interface ChainFolder {
  /** Names of the chain files that exist. */
  readonly names: readonly string[];
  readonly place: string;
  /** Facts of the files that were read and are right. */
  readonly facts: ReadonlyMap<string, KnownChain>;
}

export function crossCheck(root: unknown, folder: ChainFolder): Finding[] {
  return [
    ...checkChainNames(root, folder),
    ...checkChainIds(root, folder),
    ...checkDepths(root, folder),
    ...checkQuorums(root),
    ...checkFamilies(root, folder),
    ...checkUnique(valuesAt(root, ["chains", "*", "nodes", "*", "name"]), "a name that no other node has"),
    ...checkSinkNames(root),
    ...checkFallbacks(root),
    ...checkHeaders(root),
    ...checkRoutes(root),
  ];
}

function checkChainNames(root: unknown, { names, place }: ChainFolder): Finding[] {
  const chains = valuesAt(root, ["chains", "*"]);
  const written = valueAt(root, ["chains"]);
  if (chains.length === 0 && typeof written === "object" && written !== null) {
    return [{ path: ["chains"], found: "no chain", allowed: `at least one of ${names.join(", ")}` }];
  }
  return chains.flatMap(({ path }) => {
    const name = String(path.at(-1));
    if (names.includes(name)) return [];
    const allowed = `${names.join(", ")} (the files in ${place})`;
    return [
      { path, found: `the chain ${showText(name)}, which has no file`, allowed, suggestion: nearest(name, names) },
    ];
  });
}

function checkChainIds(root: unknown, { facts }: ChainFolder): Finding[] {
  const nameOfId = new Map<string, string>();
  return valuesAt(root, ["chains", "*"]).flatMap(({ path }): Finding[] => {
    const name = String(path.at(-1));
    const id = facts.get(name)?.id;
    if (id === undefined) return [];
    const other = nameOfId.get(id);
    nameOfId.set(id, other ?? name);
    return other === undefined
      ? []
      : [{ path, found: `the chain id ${id}, which ${other} has too`, allowed: "each chain id once" }];
  });
}

/** The window's first block is final, so finality cannot lie deeper than the window. */
function checkDepths(root: unknown, { facts }: ChainFolder): Finding[] {
  return valuesAt(root, ["chains", "*"]).flatMap(({ path }): Finding[] => {
    const known = facts.get(String(path.at(-1)));
    const ownDepth = valueAt(root, [...path, "finality", "depth"]);
    const ownFinality = valueAt(root, [...path, "finality"]);
    const depth = ownFinality === undefined && known?.finality.by === "depth" ? known.finality.depth : ownDepth;
    const window = valueAt(root, [...path, "windowDepth"]) ?? known?.windowDepth;
    if (typeof depth !== "number" || typeof window !== "number" || depth <= window) return [];
    const at = ownDepth === undefined ? [...path, "windowDepth"] : [...path, "finality", "depth"];
    return [
      {
        path: at,
        found: `finality at ${depth} blocks with a window of ${window}`,
        allowed: "finality.depth of at most windowDepth",
      },
    ];
  });
}

/** A quorum that can never be reached would leave every block unsettled for ever. */
function checkQuorums(root: unknown): Finding[] {
  return valuesAt(root, ["chains", "*", "quorum"]).flatMap(({ path, value }): Finding[] => {
    const nodes = valueAt(root, [...path.slice(0, -1), "nodes"]);
    if (typeof value !== "number" || !Array.isArray(nodes)) return [];
    const operators = new Set(nodes.map((node: unknown) => valueAt(node, ["operator"]) ?? "self"));
    if (operators.size === 0 || value <= operators.size) return [];
    return [
      {
        path,
        found: `a quorum of ${value} with ${operators.size} ${operators.size === 1 ? "operator" : "operators"}`,
        allowed: "at most as many as there are distinct operators (nodes[].operator)",
      },
    ];
  });
}

/** Options that a family's nodes do not have: written for the wrong kind of node, or believed to do something. */
const FOREIGN_OPTIONS: Record<string, readonly (readonly string[])[]> = {
  evm: [
    ["nodes", "*", "rpc"],
    ["nodes", "*", "zmq"],
  ],
  bitcoin: [["nodes", "*", "ws"], ["traces"], ["proofs"]],
};

function checkFamilies(root: unknown, { facts }: ChainFolder): Finding[] {
  return valuesAt(root, ["chains", "*"]).flatMap(({ path }): Finding[] => {
    const family = facts.get(String(path.at(-1)))?.family ?? "";
    const foreign = (FOREIGN_OPTIONS[family] ?? []).flatMap((option) =>
      valuesAt(valueAt(root, path), option).map((one) => ({ ...one, path: [...path, ...one.path] })),
    );
    return foreign
      .filter(({ value }) => value !== undefined)
      .map((one) => ({
        path: one.path,
        found: `an option that chains of the family ${family} do not have`,
        allowed: "nothing here",
      }));
  });
}

/** A sink's name is part of every delivery's id. The console may stand in both lists: it is the same console. */
function checkSinkNames(root: unknown): Finding[] {
  const sinks = valuesAt(root, ["sinks", "*", "*"]);
  const named = sinks.filter(({ path }) => valueAt(root, [...path, "kind"]) !== "console");
  const names = named.map(({ path }) => ({ path: [...path, "name"], value: valueAt(root, [...path, "name"]) }));
  const consoles = sinks.filter(({ path }) => valueAt(root, [...path, "kind"]) === "console");
  // `console` is taken even where nobody wrote it: an empty list of sinks means that one.
  const taken = ["console", "console-operations", ...consoles.map(({ path }) => valueAt(root, [...path, "name"]))];
  const clashes = names.filter(({ value }) => taken.includes(value));
  return [
    ...clashes.map(({ path }) => ({
      path,
      found: "the name of a console sink",
      allowed: "a name that no other sink has",
    })),
    ...checkUnique(names, "a name that no other sink has"),
  ];
}

/** A route to nobody, or of a chain that is not followed, would never match: it is misspelled. */
function checkRoutes(root: unknown): Finding[] {
  const written = valuesAt(root, ["sinks", "alerts", "*"]).map(({ value }) => {
    const name = valueAt(value, ["name"]);
    return typeof name === "string" ? name : "console";
  });
  const sinks = written.length > 0 ? written : ["console"];
  const chains = valuesAt(root, ["chains", "*"]).map(({ path }) => String(path.at(-1)));
  const unknown = (at: readonly string[], known: readonly string[], what: string) =>
    valuesAt(root, at).flatMap(({ path, value }): Finding[] =>
      typeof value !== "string" || known.includes(value)
        ? []
        : [
            {
              path,
              found: showText(value),
              allowed: `${what}: ${known.join(", ")}`,
              suggestion: nearest(value, known),
            },
          ],
    );
  return [
    ...unknown(["routes", "*", "to", "*"], sinks, "a sink of sinks.alerts"),
    ...unknown(["routes", "*", "chains", "*"], chains, "a chain that is followed"),
  ];
}

/** A fallback that is not there would be found out in the minute it is needed. */
function checkFallbacks(root: unknown): Finding[] {
  const names = valuesAt(root, ["sinks", "*", "*"]).map(({ path }) => valueAt(root, [...path, "name"]));
  return valuesAt(root, ["sinks", "*", "*", "fallback"]).flatMap(({ path, value }): Finding[] => {
    if (typeof value !== "string") return [];
    const own = valueAt(root, [...path.slice(0, -1), "name"]);
    const others = names.filter((name): name is string => typeof name === "string" && name !== own);
    if (others.includes(value)) return [];
    const found = value === own ? "the sink itself" : `the sink ${showText(value)}, which is not there`;
    return [{ path, found, allowed: "the name of another sink", suggestion: nearest(value, others) }];
  });
}

function checkUnique(values: readonly { path: Path; value: unknown }[], allowed: string): Finding[] {
  const seen = new Set<unknown>();
  return values.flatMap(({ path, value }) => {
    if (typeof value !== "string") return [];
    if (seen.has(value)) return [{ path, found: `${showText(value)} a second time`, allowed }];
    seen.add(value);
    return [];
  });
}

/** The signature's, the body's and those of the connection itself. */
const OWN_HEADERS = new Set(
  (
    "webhook-id webhook-timestamp webhook-signature content-type content-length content-encoding " +
    "host connection transfer-encoding expect upgrade keep-alive te trailer"
  ).split(" "),
);
const SECRET_HEADER = /authorization|cookie|token|secret|key|password/;

function checkHeaders(root: unknown): Finding[] {
  return valuesAt(root, ["sinks", "*", "*", "headers", "*"]).flatMap(({ path, value }): Finding[] => {
    const name = String(path.at(-1)).toLowerCase();
    if (OWN_HEADERS.has(name))
      return [{ path, found: "a header that heistwatch sets itself", allowed: "other headers" }];
    const isWritten = typeof value === "string" || typeof valueAt(value, ["default"]) === "string";
    if (!SECRET_HEADER.test(name) || !isWritten) return [];
    return [{ path, found: "a secret header with its value written in the file", allowed: "{ env: NAME }" }];
  });
}

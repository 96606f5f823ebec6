/** What the command line asks of the store: directly, or through the running daemon's control socket. */
import { z } from "zod";
import type { Clock } from "../lib/clock.ts";
import { AppError } from "../lib/errors.ts";
import type { DeliveryStore } from "../store/delivery-store.ts";
import type { Evidence, NodeStatus } from "../types/nodes.ts";
import { checked } from "./checked.ts";
import type { ControlCalls } from "./instance.ts";

export interface OperatorDeps {
  readonly deliveries: DeliveryStore;
  /** Sinks served through the queue. */
  readonly queuedSinks: readonly string[];
  readonly clock: Clock;
  readonly onWork: () => void;
  /** Null where no daemon runs: then there are no nodes in use to ask about. */
  readonly nodes: NodeControl | null;
  /** What named people may ask too. */
  readonly people: ControlCalls;
}

/** The pools of the running daemon. */
export interface NodeControl {
  list(): Promise<NodeRow[]>;
  drain(name: string, forMs: number): void;
  undrain(name: string): void;
}

export interface NodeRow extends NodeStatus {
  readonly chain: string;
  readonly evidence: Evidence | null;
}

const page = { limit: z.int().min(1).max(10_000), offset: z.int().nonnegative() };
const listDeliveries = z.strictObject({
  ...page,
  state: z.enum(["pending", "delivered", "dead"]).optional(),
  sink: z.string().optional(),
  alertId: z.string().optional(),
});
const retryDeliveries = z.union([
  z.strictObject({ deliveryIds: z.array(z.string()).min(1).max(10_000) }),
  z.strictObject({ allDead: z.literal(true), sink: z.string().optional() }),
]);

const nodeName = z.strictObject({ name: z.string().min(1).max(128) });
// A week: a node that is out for longer belongs out of the configuration.
const drainNode = nodeName.extend({ forMs: z.int().min(1_000).max(604_800_000) });

/** Every call checks its arguments itself: the socket is one more input. */
export function createOperatorCalls(deps: OperatorDeps): ControlCalls {
  function running(): NodeControl {
    if (deps.nodes === null) throw new AppError("no heistwatch runs here: nodes are in use only while it does");
    return deps.nodes;
  }
  return {
    ...deps.people,
    "node.list": () => running().list(),
    "node.drain": async (args) => {
      const { name, forMs } = checked(drainNode, args);
      running().drain(name, forMs);
      return { name, until: deps.clock.now() + forMs };
    },
    "node.undrain": async (args) => {
      const { name } = checked(nodeName, args);
      running().undrain(name);
      return { name };
    },
    "deliveries.list": (args) => deps.deliveries.list(checked(listDeliveries, args)),
    "deliveries.retry": async (args) => {
      const given = checked(retryDeliveries, args);
      const sink = "sink" in given && given.sink !== undefined ? { sink: given.sink } : {};
      const ids = "deliveryIds" in given ? { deliveryIds: given.deliveryIds } : {};
      const count = await deps.deliveries.redrive({
        ...ids,
        ...sink,
        now: deps.clock.now(),
        queuedSinks: deps.queuedSinks,
      });
      deps.onWork();
      return { redriven: count };
    },
  };
}

/** What the command line asks of the store: directly, or through the running daemon's control socket. */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Clock } from "../lib/clock.ts";
import { AppError } from "../lib/errors.ts";
import type { DeliveryMoves, ReplayCursor, ReplayPage } from "../store/delivery-moves.ts";
import type { DeliveryStore } from "../store/delivery-store.ts";
import type { Evidence, NodeStatus } from "../types/nodes.ts";
import { checked } from "./checked.ts";
import type { ControlCalls } from "./instance.ts";

export interface OperatorDeps {
  readonly deliveries: DeliveryStore;
  readonly moves: DeliveryMoves;
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

const showDelivery = z.strictObject({ deliveryId: z.string() });
const replayDeliveries = z.strictObject({
  filter: z
    .strictObject({
      ids: z.array(z.string()).min(1).max(1_000).optional(),
      since: z.int().nonnegative().optional(),
      until: z.int().nonnegative().optional(),
      blocks: z.strictObject({ chain: z.string(), from: z.int().nonnegative(), to: z.int().nonnegative() }).optional(),
    })
    .refine((filter) => Object.values(filter).some((one) => one !== undefined), "say what to replay"),
  to: z.string().nullable(),
  dryRun: z.boolean(),
});
// One transaction each: the outbox goes on between two.
const REPLAY_PAGE = 200;

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
    "deliveries.show": async (args) => {
      const { deliveryId } = checked(showDelivery, args);
      const [delivery] = await deps.deliveries.list({ limit: 1, offset: 0, deliveryId });
      if (delivery === undefined) throw new AppError(`there is no delivery ${deliveryId}`);
      return { delivery, attempts: await deps.deliveries.attempts(deliveryId) };
    },
    "deliveries.replay": async (args) => {
      const { filter, to, dryRun } = checked(replayDeliveries, args);
      if (to !== null && !deps.queuedSinks.includes(to))
        throw new AppError(`no sink of alerts is named ${to}; there are: ${deps.queuedSinks.join(", ")}`);
      const replayed = { messages: 0, deliveries: 0 };
      const each = { filter, to, dryRun, sinks: deps.queuedSinks, replayId: randomUUID(), limit: REPLAY_PAGE };
      let after: ReplayCursor | null = null;
      do {
        const replay: ReplayPage = await deps.moves.replay({ ...each, after, now: deps.clock.now() });
        replayed.messages += replay.messages;
        replayed.deliveries += replay.deliveries;
        after = replay.next;
        if (!dryRun) deps.onWork();
      } while (after !== null);
      return replayed;
    },
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

/** /livez, /readyz, /startupz, /metrics, and the calls under /v1. No dependency is asked on /livez: a restart cures none of them. */
import Fastify, { type FastifyInstance } from "fastify";
import type { Registry } from "prom-client";
import { ConfigError, describeError } from "../lib/errors.ts";
import { sleep } from "../lib/sleep.ts";
import type { Service } from "../types/service.ts";
import { addAlertRoutes } from "./alert-routes.ts";
import { addCalls, type ApiPorts } from "./calls.ts";
import { addScreenRoutes } from "./screen-routes.ts";
import { OWN_ROUTES } from "./own-routes.ts";
import { PEOPLE_ROUTES } from "./people-routes.ts";
import { WATCH_ROUTES } from "./watch-routes.ts";

// Below the 10 s that Prometheus waits for a scrape by default.
const REFRESH_TIMEOUT_MS = 3_000;

export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

export interface HealthServerOptions {
  readonly host: string;
  readonly port: number;
  /** The largest list that is taken. */
  readonly importMbMax: number;
  readonly registry: Registry;
  /** Brings gauges up to date before a scrape. */
  readonly refresh: () => Promise<void>;
  readonly checks: () => Promise<readonly HealthCheck[]>;
  readonly isStarted: () => boolean;
  readonly isStopping: () => boolean;
  /** Null until the store is open. */
  readonly api: () => ApiPorts | null;
}

export interface HealthServer extends Service {
  /** The port it listens on, once started (the configuration may say 0). */
  port(): number;
}

export function createHealthServer(options: HealthServerOptions): HealthServer {
  let app: FastifyInstance | null = null;
  let port = options.port;

  function build(): FastifyInstance {
    const server = Fastify({ logger: false, forceCloseConnections: true });
    const alive = () => ({ status: "ok" });
    server.get("/livez", alive);
    server.get("/healthz", alive);
    server.get("/startupz", (_request, reply) =>
      reply.code(options.isStarted() ? 200 : 503).send({ started: options.isStarted() }),
    );
    server.get("/readyz", async (_request, reply) => {
      const checks = await options.checks();
      const ready = options.isStarted() && !options.isStopping() && checks.every((check) => check.ok);
      return reply.code(ready ? 200 : 503).send({ ready, stopping: options.isStopping(), checks });
    });
    server.get("/metrics", async (_request, reply) => {
      // Stale gauges are still better than no metrics while the store is away, or hangs.
      await Promise.race([options.refresh().catch(() => undefined), sleep(REFRESH_TIMEOUT_MS)]);
      return reply.type(options.registry.contentType).send(await options.registry.metrics());
    });
    const calls = { largeBytesMax: options.importMbMax * 1024 * 1024, ports: options.api };
    for (const routes of [WATCH_ROUTES, PEOPLE_ROUTES, OWN_ROUTES]) addCalls(server, routes, calls);
    addAlertRoutes(server, options.api);
    addScreenRoutes(server, options.api);
    return server;
  }

  return {
    name: "http",
    async start() {
      app = build();
      try {
        const address = await app.listen({ host: options.host, port: options.port });
        port = Number(new URL(address).port);
      } catch (error) {
        throw new ConfigError(
          `http ${options.host}:${options.port} cannot be listened on (${describeError(error)}): change http.host or http.port, or stop what runs there`,
          { cause: error },
        );
      }
    },
    async stop() {
      await app?.close();
      app = null;
    },
    health: () => ({ ok: app !== null, detail: `port ${port}` }),
    port: () => port,
  };
}

/** /livez, /readyz, /startupz and /metrics. No dependency is asked on /livez: a restart cures none of them. */
import Fastify, { type FastifyInstance } from "fastify";
import type { Registry } from "prom-client";
import type { Service } from "../types/service.ts";

export interface HealthServerOptions {
  readonly host: string;
  readonly port: number;
  readonly registry: Registry;
  /** Brings gauges up to date before a scrape. */
  readonly refresh: () => Promise<void>;
  readonly checks: () => readonly { name: string; ok: boolean; detail: string }[];
  readonly isStarted: () => boolean;
  readonly isStopping: () => boolean;
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
    server.get("/readyz", (_request, reply) => {
      const checks = options.checks();
      const ready = options.isStarted() && !options.isStopping() && checks.every((check) => check.ok);
      return reply.code(ready ? 200 : 503).send({ ready, stopping: options.isStopping(), checks });
    });
    server.get("/metrics", async (_request, reply) => {
      await options.refresh().catch(() => undefined); // Stale gauges are still better than no metrics while the store is away.
      return reply.type(options.registry.contentType).send(await options.registry.metrics());
    });
    return server;
  }

  return {
    name: "http",
    async start() {
      app = build();
      const address = await app.listen({ host: options.host, port: options.port });
      port = Number(new URL(address).port);
    },
    async stop() {
      await app?.close();
      app = null;
    },
    health: () => ({ ok: app !== null, detail: `port ${port}` }),
    port: () => port,
  };
}

/**
 * The calls of the command line over HTTP: `POST /v1/<group>/<call>` with the call's arguments as JSON, answered with its
 * result; `alert-routes.ts` has paths of its own. Who calls is known by their bearer token alone; what they may is decided where the command line's calls are.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { AppError } from "../lib/errors.ts";
import type { Actor } from "../types/watch-change.ts";

export interface ApiPorts {
  /** Null: nobody has this token (any more). */
  personOf(token: string): Promise<Actor | null>;
  ask(call: string, args: unknown, actor: Actor): Promise<unknown>;
}

/** Far more than any call needs, far less than would hurt. */
export const BODY_BYTES_MAX = 64 * 1024;

const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  not_allowed: 403,
  bad_call: 400,
  not_found: 404,
  changed_meanwhile: 409,
  unavailable: 503,
};

export interface CallGroup {
  /** First part of the calls' names, and of their paths. */
  readonly group: string;
  readonly calls: readonly string[];
}

export function addCalls(server: FastifyInstance, { group, calls }: CallGroup, ports: Ports): void {
  addGroup(server, group, (app) => {
    for (const call of calls)
      app.post(`/${call}`, { bodyLimit: BODY_BYTES_MAX }, (request, reply) =>
        answerCall(ports, { request, reply, call: `${group}.${call}`, args: request.body ?? {} }),
      );
  });
}

/** Null until the store is open. */
export type Ports = () => ApiPorts | null;

/** Routes below `/v1/<group>`, which answer errors as all calls do. */
export function addGroup(server: FastifyInstance, group: string, addRoutes: (app: FastifyInstance) => void): void {
  void server.register(
    (app, _options, done) => {
      app.setErrorHandler(answerError);
      addRoutes(app);
      done();
    },
    { prefix: `/v1/${group}` },
  );
}

interface AskedCall {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly call: string;
  readonly args: unknown;
}

/** One call, for whoever's token the request carries. */
export async function answerCall(ports: Ports, { request, reply, call, args }: AskedCall): Promise<unknown> {
  const open = ports();
  if (open === null) return reply.code(503).send({ error: "heistwatch is starting" });
  const actor = await actorOf(request, open);
  if (actor === null)
    return reply.code(401).header("www-authenticate", "Bearer").send({ error: "a valid bearer token is needed" });
  return { result: await open.ask(call, args, actor) };
}

async function actorOf(request: FastifyRequest, ports: ApiPorts): Promise<Actor | null> {
  const [, token] = /^Bearer ([!-~]{1,200})$/i.exec(request.headers.authorization ?? "") ?? [];
  return token === undefined ? null : ports.personOf(token);
}

/** An expected "no" says why; what we did not expect says nothing to whoever asked. */
function answerError(error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof AppError)
    return reply.code(STATUS_OF_CODE[error.code] ?? 422).send({ error: error.message, code: error.code });
  const { statusCode } = error as { statusCode?: unknown };
  const isTheirs = typeof statusCode === "number" && statusCode >= 400 && statusCode < 500;
  if (isTheirs) return reply.code(statusCode).send({ error: (error as Error).message, code: "bad_call" });
  return reply.code(500).send({ error: "something went wrong here", code: "internal" });
}

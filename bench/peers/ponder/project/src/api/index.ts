/* oxlint-disable -- part of a program of its own, with its own packages */
// @ts-nocheck: the same
import { Hono } from "hono";
import { count } from "ponder";
import { db } from "ponder:api";
import { transfer } from "ponder:schema";

const app = new Hono();

app.get("/events", async (context) => {
  const [row] = await db.select({ events: count() }).from(transfer);
  return context.json(row);
});

export default app;

/* oxlint-disable -- part of a program of its own, with its own packages */
// @ts-nocheck: the same
import { ponder } from "ponder:registry";
import { transfer } from "ponder:schema";

async function store({ event, context }) {
  // A transfer between two watched addresses comes once from each contract.
  await context.db
    .insert(transfer)
    .values({
      id: `${event.block.number}-${event.log.logIndex}`,
      token: event.log.address,
      from: event.args.from,
      to: event.args.to,
      value: event.args.value,
      transactionHash: event.transaction.hash,
    })
    .onConflictDoNothing();
}

ponder.on("From:Transfer", store);
ponder.on("To:Transfer", store);

/* oxlint-disable -- part of Envio's program, with its own packages */
const { readFileSync } = require("node:fs");
const { Token } = require("generated");

const watched = new Set(JSON.parse(readFileSync(process.env.PEER_LIST, "utf8")));

// Over JSON-RPC Envio refuses filters by "from or to" on a wildcard event: every Transfer comes here.
Token.Transfer.handler(
  async ({ event, context }) => {
    const { from, to, value } = event.params;
    if (!watched.has(from) && !watched.has(to)) return;
    context.Transfer.set({
      id: `${event.block.number}-${event.logIndex}`,
      token: event.srcAddress,
      from,
      to,
      value,
      transactionHash: event.transaction.hash,
    });
  },
  { wildcard: true },
);

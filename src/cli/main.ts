#!/usr/bin/env node
/** argv -> command. Exit codes: 0 done, 1 the operator must fix something, 75 try again. */
import { Command, Option } from "commander";
import { AppError, ConfigError, describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { RECORDED_RULES } from "../types/hit.ts";
import { VERSION } from "../daemon/version.ts";
import { addAlertCommands } from "./alerts-program.ts";
import { check } from "./check.ts";
import { EXIT, type GlobalOptions } from "./context.ts";
import {
  listDeliveries,
  replayDeliveries,
  type ReplayDeliveriesOptions,
  retryDeliveries,
  showDelivery,
} from "./deliveries.ts";
import { demo } from "./demo/demo.ts";
import { drainNode, listNodes, testNodes, undrainNode } from "./node.ts";
import { listRecorded, showRecordedTotals, tellRecordedHit } from "./recorded.ts";
import { replay, type ReplayOptions } from "./replay/replay.ts";
import { cancelRetro, listRetro, showRetro, startRetro } from "./retro.ts";
import { run, runWorker } from "./run.ts";
import { showCoverage } from "./coverage.ts";
import { listSinks, makeKeys, testSinks } from "./sinks.ts";
import { testBlock } from "./test-block.ts";
import { addWatchCommands } from "./watch-program.ts";

const program = new Command("heistwatch")
  .description(
    "Follows chains through your own nodes, matches every transfer against heist-linked addresses, sends signed alerts.",
  )
  .version(VERSION)
  .showHelpAfterError("(heistwatch --help shows every command)")
  .showSuggestionAfterError()
  .addHelpText(
    "after",
    `
Examples:
  heistwatch check                              what would run, and what is wrong with the configuration
  heistwatch run                                the daemon
  heistwatch test --chain ethereum --block 20000000   what this block would alert on; sends nothing
  heistwatch alerts list --severity high
  heistwatch deliveries retry --dead            start dead letters again

Exit codes: 0 done, 1 something to fix, 75 try again later.`,
  );

const withGlobals = (command: Command) =>
  command
    .option("-c, --config <file>", "configuration file (default: config/heistwatch.yaml)")
    .option("--json", "one JSON value instead of a table");

withGlobals(program.command("run").description("run the daemon")).action(act(run));
withGlobals(
  program.command("worker").description("one more process that reads the past; needs the daemon's Postgres and Redis"),
).action(act(runWorker));
withGlobals(
  program.command("check").description("validate the configuration, connect to what it names, say what would run"),
).action(act(check));
program
  .command("demo")
  .description("the whole line on this machine: a local Ethereum node, a theft, a signed alert, a reorg")
  .action(act(demo));
withGlobals(
  program.command("test").description("match one block as the daemon would; a dry run that stores and sends nothing"),
)
  .requiredOption("--chain <name>", "a chain of the configuration")
  .requiredOption("--block <number>", "block number", wholeNumber)
  .action(act(testBlock));

withGlobals(
  program
    .command("replay <incident>")
    .description("what was recorded of a theft through the whole line, as you would be told; sends and stores nothing"),
)
  .option("--nodes", "also its known transactions, out of their blocks on the configured nodes")
  .action((incident: string, options: ReplayOptions) => finish(replay(incident, options)));

addAlertCommands(program, { withGlobals, finish, wholeNumber });

const recorded = program.command("recorded").description("transfers that are stored but told to nobody");
withGlobals(recorded.command("list").description("newest first, each with its rule"))
  .option("--limit <n>", "at most this many", wholeNumber, 50)
  .option("--offset <n>", "skip this many", wholeNumber, 0)
  .addOption(new Option("--rule <rule>", "only by this rule").choices(RECORDED_RULES))
  .option("--entry <entry>", "only what touches this entry")
  .action(act(listRecorded));
withGlobals(recorded.command("totals").description("how many, by chain and rule, with those that were pruned")).action(
  act(showRecordedTotals),
);
withGlobals(recorded.command("tell <hitId>").description("tell this one after all")).action(
  (hitId: string, options: GlobalOptions) => finish(tellRecordedHit(hitId, options)),
);

const deliveries = program.command("deliveries").description("look at deliveries, start them again");
withGlobals(deliveries.command("list").description("deliveries, newest first"))
  .option("--limit <n>", "at most this many", wholeNumber, 50)
  .option("--offset <n>", "skip this many", wholeNumber, 0)
  .addOption(new Option("--state <state>", "only this state").choices(["pending", "delivered", "dead"]))
  .option("--sink <name>", "only this sink")
  .action(act(listDeliveries));
withGlobals(
  deliveries
    .command("retry [deliveryIds...]")
    .description("start deliveries again: the named ones, or all dead letters"),
)
  .option("--dead", "all dead letters")
  .option("--sink <name>", "with --dead: only of this sink")
  .action((deliveryIds: string[], options: GlobalOptions & { dead?: boolean; sink?: string }) =>
    finish(retryDeliveries(deliveryIds, options)),
  );

withGlobals(
  deliveries.command("show <deliveryId>").description("one delivery with every attempt and its answer"),
).action((deliveryId: string, options: GlobalOptions) => finish(showDelivery(deliveryId, options)));
withGlobals(
  deliveries
    .command("replay [ids...]")
    .description("send messages of alerts again, marked as replays: by delivery, message or alert id, time, or blocks"),
)
  .option("--since <date>", "messages made at this time or later")
  .option("--until <date>", "messages made before this time")
  .option("--chain <name>", "with --blocks: of this chain")
  .option("--blocks <from-to>", "alerts from these blocks")
  .option("--sink <name>", "to this sink, also what it was never sent; default: to the sinks that were sent it")
  .option("--dry-run", "only count")
  .action((ids: string[], options: ReplayDeliveriesOptions) => finish(replayDeliveries(ids, options)));

const sinks = program.command("sinks").description("where alerts go, and whether they arrive");
withGlobals(sinks.command("list").description("every configured sink, without its secrets")).action(act(listSinks));
withGlobals(
  sinks.command("test [name]").description("send a marked test message to all sinks, or this one; tells each answer"),
).action((name: string | undefined, options: GlobalOptions) => finish(testSinks(name, options)));
sinks
  .command("keygen")
  .description("make signing keys: a shared secret (v1) and a key pair (v1a)")
  .option("--json", "one JSON value")
  .action(act(makeKeys));

addWatchCommands(program, { withGlobals, finish, wholeNumber });

const retro = program.command("retro").description("scan the past of watched addresses");
withGlobals(
  retro
    .command("start")
    .description("read the past of watched addresses up to where live coverage begins; says first what that takes"),
)
  .requiredOption("--chain <name>", "a chain of the configuration")
  .option("--address <address...>", "watched addresses")
  .option("--incident <id>", "all watched addresses of an incident or list")
  .option("--from <start>", "theft (the day before the incident's date), a block number, or a date", "theft")
  .option("--logs-only", "only events that name the address, by your own node's index; quick, and not full coverage")
  .option("--reason <text>", "why, for the record")
  .option("--dry-run", "only say what would be read")
  .action(act(startRetro));
withGlobals(retro.command("list").description("scans, newest first, with their progress"))
  .option("--limit <n>", "at most this many", wholeNumber, 50)
  .action(act(listRetro));
withGlobals(retro.command("show <scanId>").description("one scan: progress, who reads it, what it found")).action(
  (scanId: string, options: GlobalOptions) => finish(showRetro(scanId, options)),
);
withGlobals(retro.command("cancel <scanId>").description("read no further; what was found stays")).action(
  (scanId: string, options: GlobalOptions) => finish(cancelRetro(scanId, options)),
);

withGlobals(program.command("coverage").description("which blocks were scanned, how, with which list, and for whom"))
  .option("--chain <name>", "only this chain")
  .option("--block <number>", "was this block scanned?", wholeNumber)
  .option("--address <address>", "only what was scanned for this address")
  .action(act(showCoverage));

const node = program.command("node").description("look at the nodes in use, take one out for a time");
withGlobals(node.command("list").description("every node: state, head, latency, errors, last evidence")).action(
  act(listNodes),
);
withGlobals(node.command("drain <name>").description("ask this node nothing for a time"))
  .requiredOption("--for <time>", "how long: 30s, 30m, 2h, 1d; at most 7d")
  .action((name: string, options: GlobalOptions & { for: string }) => finish(drainNode(name, options)));
withGlobals(node.command("undrain <name>").description("ask it again now, also after a quarantine")).action(
  (name: string, options: GlobalOptions) => finish(undrainNode(name, options)),
);
withGlobals(node.command("test").description("ask each configured node by itself for its head and a block")).action(
  act(testNodes),
);

function act<O>(command: (options: O) => Promise<number>): (options: O) => Promise<void> {
  return (options) => finish(command(options));
}

/** The one place that ends the process. */
async function finish(work: Promise<number>): Promise<void> {
  let code: number;
  try {
    code = await work;
  } catch (error) {
    code = fail(error);
  }
  // A graceful end lets pending output drain; open handles of a hung dependency must not keep us.
  process.stdout.write("", () => process.exit(code));
}

function fail(error: unknown): number {
  if (error instanceof AppError) {
    // A list of problems keeps its lines; everything else is one line with its causes.
    const text = error instanceof ConfigError ? error.message : describeError(error);
    process.stderr.write(`heistwatch: ${redactText(text)}\n`);
    return error.retryable ? EXIT.tryAgain : EXIT.fix;
  }
  process.stderr.write(
    `heistwatch: a bug, please report it: ${redactText(error instanceof Error ? (error.stack ?? error.message) : String(error))}\n`,
  );
  return EXIT.fix;
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number))
    throw new AppError(`expected a whole number, found ${JSON.stringify(text)}`);
  return number;
}

await program.parseAsync().catch((error: unknown) => process.exit(fail(error)));

/** The commands about screening. */
import { type Command, Option } from "commander";
import { SCREEN_DIRECTIONS, SCREEN_VERDICTS } from "../types/screening.ts";
import { listAnswers, screen, type ScreenOptions, showAnswer } from "./screen.ts";
import { about, asPerson, plain, type ProgramTools } from "./watch-program.ts";

export function addScreenCommands(program: Command, tools: ProgramTools): void {
  const { finish, wholeNumber } = tools;
  const screening = asPerson(
    program
      .command("screen <chain> [addresses...]")
      .description(
        "before money moves: is anything known against these addresses or transactions? Needs a running daemon",
      ),
    tools,
  )
    // What follows list or show is theirs.
    .enablePositionalOptions()
    .option("--tx <hash...>", "transactions")
    .option("--block <number>", "the block of the transactions, where you know it", wholeNumber)
    .addOption(
      new Option("--direction <direction>", "they pay us, or we pay them")
        .choices(SCREEN_DIRECTIONS)
        .default("deposit"),
    )
    .option("--usd <amount>", "what is about to move with each address is worth so much")
    .action((chain: string, addresses: string[], options: ScreenOptions) => finish(screen(chain, addresses, options)));
  asPerson(screening.command("list").description("answers that were given, newest first"), tools)
    .option("--limit <n>", "at most this many", wholeNumber, 50)
    .option("--after <place>", "the page after this place")
    .option("--chain <chain>", "with --about: on this chain")
    .option("--about <text>", "only answers about this address or transaction")
    .option("--by <name>", "only answers to this person")
    .addOption(new Option("--verdict <verdict>", "only answers with this as the strongest").choices(SCREEN_VERDICTS))
    .option("--since <time>", "only from this time on: 2026-11-22 or 2026-11-22T10:00:00Z")
    .option("--until <time>", "only before this time")
    .action(plain(finish, listAnswers));
  asPerson(screening.command("show <answerId>").description("one answer as it left"), tools).action(
    about(finish, showAnswer),
  );
}

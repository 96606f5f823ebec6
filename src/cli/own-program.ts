/** The commands about own addresses. */
import { type Command, Option } from "commander";
import { WALLETS } from "../watchlist/own-records.ts";
import { acceptOwn, addOwn, listOwn, removeOwn, showOwn } from "./own.ts";
import { about, asPerson, plain, type ProgramTools } from "./watch-program.ts";

const CHAIN = ["--chain <chain>", "a chain of the configuration, or its CAIP-2 id"] as const;
const FILE = ["--file <file>", "many, from a CSV or YAML file as in watchlists/own"] as const;

export function addOwnCommands(program: Command, tools: ProgramTools): void {
  const { finish, wholeNumber } = tools;
  const own = program.command("own").description("own addresses that people give, beside files and the database");
  asPerson(own.command("add [address]").description("one own address, or a file of them"), tools)
    .option(...CHAIN)
    .option("--customer <ref>", "whose it is")
    .addOption(new Option("--wallet <kind>", "what it is for").choices([...WALLETS]).default("deposit"))
    .option(...FILE)
    .option("--replace", "known ones get the customer and wallet given now; needs an approver")
    .option("--why <text>", "for the record")
    .action(about(finish, addOwn));
  asPerson(own.command("remove [address]").description("not ours any more; needs an approver"), tools)
    .option(...CHAIN)
    .option(...FILE)
    .option("--accept-loss", "also more than a fifth of them; needs an admin")
    .requiredOption("--why <text>", "for the record")
    .action(about(finish, removeOwn));
  asPerson(
    own.command("accept").description("take the next reading of the database, however few it gives; needs an admin"),
    tools,
  )
    .requiredOption("--why <text>", "for the record")
    .action(plain(finish, acceptOwn));
  asPerson(own.command("list").description("what people gave"), tools)
    .option("--customer <ref>", "only of this customer")
    .option("--limit <n>", "at most this many", wholeNumber, 100)
    .option("--after <place>", "those after <chain>/<address>")
    .action(plain(finish, listOwn));
  asPerson(own.command("show <address>").description("whose address it is, and who says so"), tools).action(
    about(finish, showOwn),
  );
}

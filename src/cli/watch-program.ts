/** The commands about what is watched, and by whom it is changed. */
import { type Command, Option } from "commander";
import { ENTRY_BASES, ENTRY_DEFAULTS, ENTRY_DIRECTIONS, ENTRY_ROLES, TLP_LEVELS } from "../types/watch.ts";
import { PERSON_ROLES } from "../types/watch-change.ts";
import { addPerson, listPeople, revokePerson } from "./people.ts";
import * as look from "./watch.ts";
import type { PersonOptions } from "./watch-ask.ts";
import * as change from "./watch-change.ts";
import { EXPORT_NAMES, exportWatch } from "./watch-export.ts";
import { importWatch } from "./watch-import.ts";
import { reviewWatch, watchFreshness } from "./watch-review.ts";

export interface ProgramTools {
  readonly withGlobals: (command: Command) => Command;
  readonly finish: (work: Promise<number>) => Promise<void>;
  readonly wholeNumber: (text: string) => number;
}

export function addWatchCommands(program: Command, tools: ProgramTools): void {
  const watch = program.command("watch").description("look at the watchlists, change them");
  addLooking(watch, tools);
  addChanging(watch, tools);
  addImporting(watch, tools);
  addDeciding(watch, tools);
  addPeople(program, tools);
}

type Finish = ProgramTools["finish"];

/** A command about one thing, which may be left out where the command says so. */
export function about<S, O>(finish: Finish, command: (subject: S, options: O) => Promise<number>) {
  return (subject: S, options: O) => finish(command(subject, options));
}

export function plain<O>(finish: Finish, command: (options: O) => Promise<number>) {
  return (options: O) => finish(command(options));
}

export function asPerson(command: Command, { withGlobals }: ProgramTools): Command {
  return withGlobals(command).option(
    "--as <name>",
    "as this person, whose token is in HEISTWATCH_TOKEN; without it: the OS user",
  );
}

function addLooking(watch: Command, tools: ProgramTools): void {
  const { finish, wholeNumber } = tools;
  asPerson(watch.command("list").description("watched addresses"), tools)
    .option("--incident <id>", "only this incident")
    .option("--chain <id>", "only this chain (CAIP-2)")
    .option("--all", "also entries that are off, never matched, or without an adapter")
    .action(plain(finish, look.listWatch));
  asPerson(watch.command("show <address>").description("everything the lists say about an address"), tools).action(
    about(finish, look.showWatch),
  );
  asPerson(watch.command("search <text>").description("entries with this text in any field"), tools)
    .option("--limit <n>", "at most this many", wholeNumber, 50)
    .action(about(finish, look.searchWatch));
  asPerson(watch.command("versions <list>").description("every version of a list: when, by whom, why"), tools).action(
    about(finish, look.listVersions),
  );
  asPerson(watch.command("diff <list> <from> <to>").description("between two versions, by number"), tools).action(
    (list: string, from: string, to: string, options: PersonOptions) =>
      finish(look.diffWatch(list, [wholeNumber(from), wholeNumber(to)], options)),
  );
  asPerson(watch.command("history [entry]").description("the audit trail, of everything or of one entry"), tools)
    .option("--limit <n>", "at most this many", wholeNumber, 50)
    .action(about(finish, look.watchHistory));
  asPerson(
    watch.command("impact <entry>").description("alerts, customers and deliveries an entry caused"),
    tools,
  ).action(about(finish, look.watchImpact));
  asPerson(
    watch.command("upgrade").description("what the files of today would change, before it happens"),
    tools,
  ).action(plain(finish, look.watchUpgrade));
  asPerson(
    watch.command("freshness").description("lists with a maximum age, and whether they are past it"),
    tools,
  ).action(plain(finish, watchFreshness));
  asPerson(watch.command("proposals").description("changes that wait for a second person"), tools)
    .option("--all", "also those that are decided or over")
    .action(plain(finish, look.listProposals));
}

function addChanging(watch: Command, tools: ProgramTools): void {
  const { finish, wholeNumber } = tools;
  asPerson(watch.command("add <address>").description("watch an address from now on"), tools)
    .requiredOption("--incident <id>", "the theft it belongs to")
    .option("--chain <id>", "CAIP-2; without it: every followed chain it is an address of")
    .addOption(new Option("--role <role>", "default: theft").choices(ENTRY_ROLES))
    .addOption(new Option("--basis <basis>", "who says so; default: researcher").choices(ENTRY_BASES))
    .option("--label <text>", "what a person reads in an alert")
    .option("--source <ref...>", "where it is said; default: you")
    .option("--sources <n>", "independent sources", wholeNumber)
    .option("--sanctioned <list>", "it is on this sanctions list")
    .option("--to-only", "match it as recipient only")
    .option("--note <text>")
    .option("--case <reference>")
    .addOption(new Option("--tlp <level>").choices(TLP_LEVELS))
    .option("--valid-until <date>", "what moves after this UTC day or moment is only recorded; default: no end")
    .option("--why <text>", "for the audit trail")
    .option("--override <why>", "though it is our own, a burn address or a service's")
    .option("--yes", "without asking")
    .action(about(finish, change.addToWatch));
  const withWhy = (command: Command) => asPerson(command, tools).requiredOption("--why <text>", "for the audit trail");
  withWhy(watch.command("change <entry>").description("change an entry; what makes it weaker needs a second person"))
    .addOption(new Option("--role <role>").choices(ENTRY_ROLES))
    .addOption(new Option("--basis <basis>").choices(ENTRY_BASES))
    .addOption(new Option("--direction <direction>").choices(ENTRY_DIRECTIONS))
    .addOption(new Option("--default <state>").choices(ENTRY_DEFAULTS))
    .option("--label <text>")
    .option("--sources <n>", "independent sources", wholeNumber)
    .option("--note <text>")
    .option("--valid-until <date>", "its end, a UTC day or moment; never: it has none any more")
    .action(about(finish, change.changeWatch));
  withWhy(watch.command("remove <entry>").description("propose to take an entry off its list")).action(
    about(finish, change.removeFromWatch),
  );
  asPerson(
    watch.command("review [entry]").description("entries that somebody should look at again, or: I looked at this one"),
    tools,
  )
    .option("--why <text>", "what you found, for the audit trail")
    .option("--again <time>", "look again after this time, at most 90d; without it: no more")
    .option("--limit <n>", "at most this many", wholeNumber, 100)
    .action(about(finish, reviewWatch));
  withWhy(watch.command("suppress <entry>").description("propose to record only, for at most 7 days"))
    .requiredOption("--for <time>", "2h, 1d, at most 7d")
    .action(about(finish, change.suppressWatch));
  withWhy(
    watch.command("dispute <entry>").description("at once, alone: for 4 h it is recorded, but tells and holds nothing"),
  ).action(about(finish, change.disputeWatch));
  asPerson(watch.command("undo <entry>").description("take back what you added within the last hour"), tools).action(
    about(finish, change.undoWatch),
  );
}

function addImporting(watch: Command, tools: ProgramTools): void {
  const { finish, wholeNumber } = tools;
  asPerson(watch.command("import <file>").description("a list from a file, as one change in your name"), tools)
    .option("--format <name>", "default: the only one the file fits")
    .option("--list <id>", "default: called like the file; our own formats say it themselves")
    .option("--incident <id>", "the theft it belongs to; default: called like the list")
    .addOption(new Option("--role <role>", "of rows that do not say it").choices(ENTRY_ROLES).default("theft"))
    .addOption(new Option("--basis <basis>", "the same").choices(ENTRY_BASES).default("researcher"))
    .option("--source <ref>", "where the file comes from; default: its name")
    .option("--sanctions-list <name>", "the file is a copy of this sanctions list")
    .option("--accept-valid", "take the good rows of a file that has bad ones")
    .option("--accept-shrink", "though more than 20 % are gone; what is gone waits for a second person")
    .option("--canary <text...>", "refuse a list in which one of these stands nowhere")
    .option("--max-age <days>", "refuse an older list", wholeNumber)
    .option("--key <file>", "minisign public key; without its signature nothing is taken")
    .option("--signature <file>", "default: the file's name with .minisig")
    .option("--override <why>", "though it holds addresses of our own")
    .option("--why <text>", "for the audit trail")
    .option("--dry-run", "only say what would happen")
    .action(about(finish, importWatch));
  asPerson(watch.command("export").description("a list, or an incident of several, as others read it"), tools)
    .option("--list <id>", "this list")
    .option("--incident <id>", "all lists of this incident")
    .addOption(new Option("--format <name>").choices(EXPORT_NAMES).makeOptionMandatory())
    .option("--out <file>", "a new file; default: standard output")
    .action(plain(finish, exportWatch));
}

function addDeciding(watch: Command, tools: ProgramTools): void {
  const { finish } = tools;
  asPerson(watch.command("approve <proposal>").description("as the second person"), tools)
    .option("--hash <hash>", "refuse anything but the change with this hash")
    .action(about(finish, change.approveWatch));
  asPerson(watch.command("reject <proposal>").description("it stays as it is"), tools)
    .requiredOption("--why <text>", "for the audit trail")
    .action(about(finish, change.rejectWatch));
}

function addPeople(program: Command, tools: ProgramTools): void {
  const { finish } = tools;
  const people = program.command("people").description("who may change what is watched");
  asPerson(people.command("list").description("names and roles"), tools).action(plain(finish, listPeople));
  asPerson(people.command("add <name>").description("give a person a role and a token, shown once"), tools)
    .addOption(new Option("--role <role>").choices(PERSON_ROLES).makeOptionMandatory())
    .action(about(finish, addPerson));
  asPerson(people.command("revoke <name>").description("their token is not valid any more"), tools).action(
    about(finish, revokePerson),
  );
}

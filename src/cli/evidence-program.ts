/** The commands about evidence bundles. */
import { type Command, Option } from "commander";
import { exportEvidence, makeEvidenceKey, verifyEvidence } from "./evidence.ts";
import { about, asPerson, plain, type ProgramTools } from "./watch-program.ts";

export function addEvidenceCommands(program: Command, tools: ProgramTools): void {
  const { finish } = tools;
  const evidence = program.command("evidence").description("an alert as a file that anybody can check");
  asPerson(
    evidence
      .command("export <alertId>")
      .description("make the signed bundle of an alert; asks your nodes for the block again"),
    tools,
  )
    .addOption(new Option("--format <format>", "json, or a page to print").choices(["json", "html"]).default("json"))
    .option("--out <file>", "a new file; default: standard output")
    .action(about(finish, exportEvidence));
  evidence
    .command("verify <file>")
    .description("what a bundle proves and what it only says; needs no network, no database, no configuration")
    .option("--key <hwpk>", "the public key that must have signed it")
    .option("--block-hash <hash>", "the hash that its block must have")
    .option("--json", "one JSON value")
    .action(about(finish, verifyEvidence));
  evidence
    .command("keygen")
    .description("make the key pair that signs bundles")
    .option("--json", "one JSON value")
    .action(plain(finish, makeEvidenceKey));
}

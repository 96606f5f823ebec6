/** No secret in any line, whatever field it hides in: canaries through a child process that logs for real. */
import { describe, expect, test } from "@jest/globals";
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";

const LOGGER = path.join(import.meta.dirname, "../../../src/daemon/logger.ts");

/** Runs `script` with a logger called `log` and returns what it printed. */
async function printed(script: string, format: "json" | "pretty", level = "debug"): Promise<string> {
  const source = `
    const { createLogger } = await import(${JSON.stringify(LOGGER)});
    const log = createLogger({ level: ${JSON.stringify(level)}, format: ${JSON.stringify(format)} }, false);
    ${script}`;
  const run = promisify(execFile)(process.execPath, ["--input-type=module", "-e", source]);
  const { stdout, stderr } = await run;
  expect(stderr).toBe("");
  return stdout;
}

/** Every secret holds the word `canary`; \`url\` holds one in user, path and query. */
const SCRIPT = `
  const url = "https://user:canary-pass@node.example/v3/canary-path?key=canary-query";
  const secret = "whsec_canary-signing";
  const cause = new Error("cause " + url);
  const round = { url }; round.self = round;
  class Client { url = url; #hidden = url; toJSON() { return { shown: url }; } }
  log.info({ url }, "plain");
  log.info({ a: { b: { c: [{ url }, secret] } } }, "nested");
  log.info({ error: new Error("failed " + url, { cause }) }, "error with a cause");
  log.info({ deep: { error: cause } }, "nested error");
  log.info({ err: new AggregateError([cause], url) }, "several errors");
  log.error(new Error(url), "an error alone");
  log.error(new Error(secret));
  log.info({ ["key " + url]: 1 }, "in a key");
  log.info({ at: new URL(url), map: new Map([[url, secret]]), set: new Set([url]) }, "objects");
  log.info({ client: new Client() }, "an object with a text of its own");
  log.info({ round }, "round");
  log.info({ text: 'quoted "' + url + '" and ' + secret + ' "again"' }, "quotes around");
  log.info({ nested: { text: 'quoted "' + url + '" and\\n' + secret + '\\\\' } }, "quotes and lines, nested");
  log.info({ big: 12n, nested: { big: 13n } }, "big numbers");
  log.info({}, "the message itself " + url);
  log.info("only a message " + secret);
  log.info({ n: 1 }, "with %s", url);
  log.child({ node: url, nested: { secret } }).warn({}, "from a child");
  log.info({ nothing: undefined, none: null, yes: true, date: new Date(0) }, "other values");
  log.info({ bare: Object.create(null) }, "the end");
`;
const LINES = SCRIPT.match(/\.(?:info|warn|error)\(/g)?.length ?? 0;

describe("canaries", () => {
  test("in JSON: none is printed, every line is there and is JSON", async () => {
    const output = await printed(SCRIPT, "json");
    expect(output).not.toContain("canary");
    const lines = output
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toHaveLength(LINES);
    expect(lines[0]).toMatchObject({ msg: "plain", url: "https://node.example/…" });
    expect(lines.at(-1)).toMatchObject({ msg: "the end" });
  });

  test("pretty: none is printed, every line is there", async () => {
    const output = await printed(SCRIPT, "pretty");
    expect(output).not.toContain("canary");
    for (const word of ["plain", "nested error", "from a child", "quotes and lines", "the end"])
      expect(output).toContain(word);
  });
});

describe("what is no secret is printed as it is", () => {
  test("numbers, big numbers, dates, lists, nested facts and the cause of an error", async () => {
    const output = await printed(
      `log.info({ height: 5, amount: 12n, ok: true, none: null, list: [1, "a"], deep: { a: { b: "c" } }, at: new Date(0),
         map: new Map([["k", 1]]), error: new TypeError("outer", { cause: new Error("inner") }) }, "facts");
       log.child({ chain: "ethereum" }).warn({ height: 6 }, "child");`,
      "json",
    );
    const [facts, child] = output
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(facts).toMatchObject({
      level: 30,
      msg: "facts",
      height: 5,
      amount: "12",
      ok: true,
      none: null,
      list: [1, "a"],
      deep: { a: { b: "c" } },
      at: "1970-01-01T00:00:00.000Z",
      map: [["k", 1]],
    });
    expect(facts?.["error"]).toContain("TypeError: outer");
    expect(facts?.["error"]).toContain("caused by: inner");
    expect(child).toMatchObject({ level: 40, msg: "child", chain: "ethereum", height: 6 });
    expect(facts).not.toHaveProperty("pid");
  });

  test("levels below the one asked for are not printed", async () => {
    expect(await printed('log.info({}, "quiet"); log.warn({}, "loud");', "json", "warn")).not.toContain("quiet");
  });
});

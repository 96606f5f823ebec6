import { afterAll, describe, expect, test } from "@jest/globals";
import { CHAIN_CASES } from "./chain-cases.ts";
import { SINK_CASES } from "./sink-cases.ts";
import { problemText, removeFolders } from "./support.ts";

afterAll(removeFolders);

describe("a wrong configuration is told with its place, what was found and what is allowed", () => {
  test.each([...CHAIN_CASES, ...SINK_CASES])(
    "$name",
    ({ yaml, env: variables = {}, files = {}, place, found, allowed, meant }) => {
      const problems = blocks(problemText({ "heistwatch.yaml": yaml, ...files }, variables));
      const problem = problems.find((candidate) => candidate.place === place);
      expect(problem ?? problems).toMatchObject({ place });
      expect(problem?.found).toContain(found);
      expect(problem?.allowed).toContain(allowed);
      expect(problem?.meant).toBe(meant ?? null);
      expect(problems).toHaveLength(1);
    },
  );

  test("a file that is not there", () => {
    const [problem] = blocks(problemText({}));
    expect(problem).toEqual({
      place: "heistwatch.yaml: (the file)",
      found: "no such file",
      allowed: "a readable YAML file of at most 1 MB",
      meant: null,
    });
  });
});

test("problems of every kind are told at once, in the order of the lines", () => {
  const yaml = [
    "minSeverty: high", // unknown key
    "chains:",
    "  ethereum:",
    "    start: yesterday", // a wrong value
    "    nodes: [{ name: own-a, http: { env: NODE_URL } }]", // not set
    "  etherium: { nodes: [{ name: own-a, http: http://127.0.0.1:1 }] }", // cross checks: no file, name twice
    "log: { level: loud }", // a wrong choice
    "http: { port: 1 }",
    "http: { port: 2 }", // twice
    "sinks: { alerts: [{ kind: webhook, name: desk, url: http://desk.example.com, secrets: [], timeoutMs: soon }] }", // three in one sink
  ].join("\n");
  const text = problemText({ "heistwatch.yaml": yaml });
  expect(text.split("\n")[0]).toBe("10 problems in the configuration");
  expect(blocks(text).map((problem) => problem.place)).toEqual([
    "heistwatch.yaml:1: minSeverty",
    "heistwatch.yaml:4: chains.ethereum.start",
    "heistwatch.yaml:5: chains.ethereum.nodes[0].http",
    "heistwatch.yaml:6: chains.etherium",
    "heistwatch.yaml:6: chains.etherium.nodes[0].name",
    "heistwatch.yaml:7: log.level",
    "heistwatch.yaml:9: http",
    "heistwatch.yaml:10: sinks.alerts[0].secrets",
    "heistwatch.yaml:10: sinks.alerts[0].timeoutMs",
    "heistwatch.yaml:10: sinks.alerts[0].url",
  ]);
});

interface Block {
  readonly place: string;
  readonly found: string;
  readonly allowed: string;
  readonly meant: string | null;
}

/** The printed problems, read back. */
function blocks(text: string): Block[] {
  const pattern = /^(\S.*)\n {4}found: (.*)\n {4}allowed: (.*)(?:\n {4}did you mean (.*)\?)?$/gm;
  return [...text.matchAll(pattern)].map((match) => ({
    place: match[1] ?? "",
    found: match[2] ?? "",
    allowed: match[3] ?? "",
    meant: match[4] ?? null,
  }));
}

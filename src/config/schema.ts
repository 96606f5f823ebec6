/**
 * What a user writes. Parsing fills in defaults and resolves `{ env: NAME }`, so what comes out holds values only.
 * A new option goes here with a description, a default and its unit in its name; then `scripts/make-config-schema.ts`.
 */
import { z } from "zod";
import { SEVERITIES } from "../types/alert.ts";
import {
  checkEvidenceKey,
  checkHarmlessUrl,
  checkHost,
  checkUrl,
  DATABASE_URL,
  DECIMAL_ALLOWED,
  EVIDENCE_KEY_ALLOWED,
  HTTP_URL,
  parseDecimal,
  parseIsoDate,
  REDIS_URL,
  START_ALLOWED,
  WS_URL,
} from "./checks.ts";
import {
  addRefusal,
  choice,
  filePath,
  list,
  optionalValue,
  secret,
  section,
  shortName,
  text,
  value,
  wholeNumber,
} from "./fields.ts";
import { policy, prices, routes } from "./alert-options.ts";
import type { ReadEnv } from "./secrets.ts";
import { watchlists } from "./watchlists-section.ts";
import { sinks } from "./sinks-section.ts";

const finality = () =>
  z.discriminatedUnion(
    "by",
    [
      section({ by: z.literal("tag").describe("The node's own `finalized` block.") }),
      section({
        by: z.literal("depth").describe("A number of blocks on top."),
        depth: wholeNumber(1, 65_536).describe("A block is final with this many blocks on top. At most windowDepth."),
      }),
    ],
    { error: "{ by: tag }, or { by: depth, depth: <blocks> }" },
  );

// At least 64: two epochs of Ethereum, the deepest reorg that is still an everyday event somewhere.
const windowDepth = () => wholeNumber(64, 65_536);

/** `config/chains/<name>.yaml`: facts about a chain that do not depend on who runs heistwatch. */
export const chainFactsSchema = section({
  id: text(
    /^(eip155:[1-9]\d{0,17}|bip122:[0-9a-f]{32})$/,
    "a CAIP-2 id such as eip155:1 or bip122:000000000019d6689c085ae165831e93",
  ).describe("CAIP-2 id."),
  family: choice(["evm", "bitcoin"]).describe("Which kind of chain, and so which adapter."),
  blockTimeMs: wholeNumber(10, 3_600_000).describe("Expected time between blocks, in milliseconds."),
  finality: finality().describe("When a block is final."),
  windowDepth: windowDepth().describe("How deep a reorg is followed, in blocks."),
  native: section({
    symbol: text(/^[A-Za-z0-9]{1,12}$/, "a symbol such as ETH").describe("Symbol of the native coin."),
    decimals: wholeNumber(0, 30).describe("Digits after the point of the native coin."),
    slip44: wholeNumber(0, 2 ** 31 - 1).describe("SLIP-44 coin type, for CAIP-19 asset ids."),
    dustBelow: z
      .string({ error: DECIMAL_ALLOWED })
      .describe("Amounts of the native coin below this are recorded, not alerted."),
  })
    .superRefine((native, context) => {
      if (parseDecimal(native.dustBelow, native.decimals) !== null) return;
      addRefusal(
        context,
        {
          found: "a text that is not such a number",
          allowed: `${DECIMAL_ALLOWED}, with at most ${native.decimals} digits after the point`,
        },
        ["dustBelow"],
      );
    })
    .describe("The native coin."),
});

export type ChainFacts = z.output<typeof chainFactsSchema>;

const ZMQ_ALLOWED = "a ZMQ publisher such as tcp://127.0.0.1:28332";
const RPC_ALLOWED = "{ cookieFile: path }, or { user: name, password: { env: NAME } }";
const RPC_PASSWORD_ALLOWED = "a password of 1 to 512 visible characters";

const rpcCredentials = (readEnv: ReadEnv) =>
  z.union(
    [
      section({
        cookieFile: filePath().describe("The .cookie file in the node's data folder; read again at each login."),
      }),
      section({
        user: text(/^[!-9;-~]{1,128}$/, "a user name without spaces and colons").describe(
          "rpcuser, or the user of rpcauth.",
        ),
        password: secret({
          readEnv,
          allowed: RPC_PASSWORD_ALLOWED,
          check: (written) =>
            /^[!-~]{1,512}$/.test(written) ? null : { found: "something else", allowed: RPC_PASSWORD_ALLOWED },
        }).describe("Its password."),
      }),
    ],
    { error: RPC_ALLOWED },
  );

const node = (readEnv: ReadEnv) =>
  section({
    name: shortName().describe("Name of the node in logs and metrics."),
    operator: shortName().default("self").describe("Who runs the node; nodes of one operator count once."),
    own: z
      .boolean({ error: "true or false" })
      .optional()
      .describe(
        "You run it: only such nodes are asked about addresses, so that the watchlist does not leak. Default: true for operator self and for a chain's only node.",
      ),
    http: value({
      readEnv,
      allowed: HTTP_URL.allowed,
      check: checkUrl(HTTP_URL),
      checkWritten: checkHarmlessUrl,
    }).describe("JSON-RPC over HTTP."),
    ws: optionalValue({ readEnv, allowed: WS_URL.allowed, check: checkUrl(WS_URL), checkWritten: checkHarmlessUrl })
      .default(null)
      .describe("EVM nodes: websocket that tells of new blocks sooner than polling; null: polling only."),
    rpc: rpcCredentials(readEnv)
      .nullable()
      .default(null)
      .describe("Nodes of the Bitcoin Core family: how to log in; null: the node asks for nothing."),
    zmq: list(text(/^tcp:\/\/[^\s/@?#]{1,255}:\d{1,5}$/, ZMQ_ALLOWED), `a list of ${ZMQ_ALLOWED}`)
      .max(8, { error: "at most 8 publishers" })
      .default([])
      .describe(
        "Nodes of the Bitcoin Core family: zmqpubhashblock and zmqpubsequence, which tell of new blocks and transactions sooner than polling. Each on a port of its own.",
      ),
    maxConcurrent: wholeNumber(1, 256)
      .optional()
      .describe(
        "At most this many requests under way at once. Default: 8; 2 for nodes of the Bitcoin Core family, which are no faster with more.",
      ),
    maxRequestsPerSecond: wholeNumber(1, 100_000).default(200).describe("At most this many requests a second."),
    timeoutMs: wholeNumber(100, 300_000)
      .default(10_000)
      .describe("A request without an answer is given up after this many milliseconds."),
  });

const chain = (readEnv: ReadEnv) =>
  section({
    nodes: list(node(readEnv), "a list with at least one node")
      .min(1, { error: "a list with at least one node" })
      .max(32, { error: "at most 32 nodes" })
      .describe(
        "Your nodes of this chain. Operators must agree on a block before it counts; nodes of one operator count once.",
      ),
    quorum: wholeNumber(1, 32)
      .optional()
      .describe(
        "Distinct operators that must name a block before it is final. Default: 2 where there are 2 or more operators, else 1.",
      ),
    start: z
      .union([wholeNumber(0, Number.MAX_SAFE_INTEGER), z.string({ error: START_ALLOWED })], { error: START_ALLOWED })
      .superRefine((start, context) => {
        if (typeof start === "number" || start === "latest" || parseIsoDate(start) !== null) return;
        addRefusal(
          context,
          { found: "a text that is neither latest nor an ISO 8601 date with its zone", allowed: START_ALLOWED },
          [],
        );
      })
      .default("latest")
      .describe(`Where the first run begins: ${START_ALLOWED}. Later runs go on where the last one stopped.`),
    finality: finality().optional().describe("When a block is final; default: as config/chains says."),
    proofs: z
      .enum(["require", "prefer"], { error: "require, prefer" })
      .default("require")
      .describe(
        "require: a block whose content does not match its hash is never scanned. prefer: it is, and told as not proven; only for test nodes.",
      ),
    traces: z
      .enum(["auto", "off"], { error: "auto, off" })
      .default("auto")
      .describe(
        "auto: value moved inside contract calls is seen where the node can trace. off: never asked, said in alerts.",
      ),
    mempool: z
      .enum(["auto", "off"], { error: "auto, off" })
      .default("off")
      .describe(
        "auto: transactions that wait in the node's mempool are told too, as pending. off: told once they are in a block.",
      ),
    windowDepth: windowDepth()
      .optional()
      .describe("How deep a reorg is followed, in blocks; default: as config/chains says."),
  });

const store = (readEnv: ReadEnv) =>
  section({
    databaseUrl: optionalValue({
      readEnv,
      allowed: DATABASE_URL.allowed,
      check: checkUrl(DATABASE_URL),
      checkWritten: checkHarmlessUrl,
    })
      .prefault({ env: "DATABASE_URL", default: null })
      .describe("PostgreSQL server; null: the embedded store in dataDir."),
  });

const queue = (readEnv: ReadEnv) =>
  section({
    redisUrl: optionalValue({
      readEnv,
      allowed: REDIS_URL.allowed,
      check: checkUrl(REDIS_URL),
      checkWritten: checkHarmlessUrl,
    })
      .prefault({ env: "REDIS_URL", default: null })
      .describe("Redis server; null: the queue is kept in the store."),
    redisPrefix: text(/^[A-Za-z0-9_{}-]{1,64}$/, "letters, digits, _, - and braces, at most 64")
      .default("heistwatch")
      .describe("Prefix of every Redis key. One for each heistwatch on a shared server."),
  });

const delivery = () => {
  const error = "a number above 0, at most 100";
  return section({
    retryScale: z
      .number({ error })
      .gt(0, { error })
      .max(100, { error })
      .default(1)
      .describe("Multiplies every wait of the retry schedule. 1 in production; small in tests."),
  });
};

const retention = () =>
  section({
    recordedDays: wholeNumber(1, 36_500)
      .default(90)
      .describe(
        "Transfers that are only recorded (zero value, dust, unlisted tokens) are kept for so many days, then counted.",
      ),
    screeningDays: wholeNumber(1, 36_500)
      .default(1_827)
      .describe(
        "Answers to POST /v1/screen are kept for so many days, with who asked and what was known. Five years: the least that FATF recommendation 11 asks for records.",
      ),
    readDays: wholeNumber(1, 36_500).default(365).describe("Who read which alerts is kept for so many days."),
  });

const http = (readEnv: ReadEnv) =>
  section({
    host: value({ readEnv, allowed: "an IP address or host name", check: checkHost })
      .prefault("127.0.0.1")
      .describe("Address to listen on. 0.0.0.0 opens it to the network."),
    port: wholeNumber(0, 65_535).default(9464).describe("TCP port; 0 takes a free one."),
    importMbMax: wholeNumber(1, 256)
      .default(16)
      .describe(
        "The largest list that POST /v1/watch/import takes, MB; 16 hold about 25,000 entries. It is held in memory.",
      ),
  });

// A year: what takes longer is no clock.
const dueHours = () => wholeNumber(1, 8_760).optional();

const triage = () =>
  section({
    dueHours: section({
      critical: dueHours().describe("Hours, for critical alerts."),
      high: dueHours().describe("Hours, for high alerts."),
      medium: dueHours().describe("Hours, for medium alerts."),
      low: dueHours().describe("Hours, for low alerts."),
      info: dueHours().describe("Hours, for info alerts."),
    })
      .prefault({})
      .describe("Until an alert's case is due, by severity. A severity that is not named has no clock."),
  });

const evidence = (readEnv: ReadEnv) =>
  section({
    key: secret({ readEnv, allowed: EVIDENCE_KEY_ALLOWED, check: checkEvidenceKey })
      .nullable()
      .default(null)
      .describe("Signs evidence bundles: hwsk_ and base64, made by heistwatch evidence keygen. null: none are made."),
  });

const log = () =>
  section({
    level: choice(["debug", "info", "warn", "error"])
      .default("info")
      .describe("The least important line that is written."),
    format: choice(["auto", "json", "pretty"]).default("auto").describe("auto: pretty on a terminal, else JSON."),
  });

export function createConfigSchema(readEnv: ReadEnv) {
  return section({
    dataDir: value({ readEnv, allowed: "a path", check: () => null })
      .prefault("../data")
      .describe(
        "Folder of the embedded store and the control socket. Relative paths start from the folder of this file.",
      ),
    store: store(readEnv).prefault({}).describe("The book of record."),
    queue: queue(readEnv).prefault({}).describe("The queue of work."),
    chains: z
      .record(z.string(), chain(readEnv), { error: "a mapping of chain names, such as ethereum, to their options" })
      .describe("Chains to follow, by the name of their file under config/chains."),
    watchlists: watchlists(readEnv).prefault({}).describe("Whom to watch."),
    sinks: sinks(readEnv).prefault({}).describe("Whom to tell."),
    delivery: delivery().prefault({}).describe("How deliveries are repeated."),
    triage: triage().prefault({}).describe("What people do with alerts."),
    evidence: evidence(readEnv).prefault({}).describe("Evidence bundles of alerts, for third parties."),
    retention: retention().prefault({}).describe("How long what nobody was told of is kept."),
    http: http(readEnv).nullable().prefault({}).describe("Health and metrics over HTTP; null: off."),
    log: log().prefault({}).describe("Logging."),
    prices: prices().prefault({}).describe("What transfers are worth, from price feeds read through your own nodes."),
    policy: policy().prefault({}).describe("How alerts are judged. The default is docs/alerts.md."),
    routes: routes().describe(
      "Which alerts go where. A sink that no route names gets all; one that routes name gets what one of them matches.",
    ),
    minSeverity: choice(SEVERITIES).default("info").describe("Alerts below this severity are stored, not sent."),
  });
}

export type UserConfig = z.output<ReturnType<typeof createConfigSchema>>;

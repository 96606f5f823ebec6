/**
 * Goal: the image and the compose file are as safe as documented, without a Docker engine to ask.
 * Method: read both as data and check each property; run what can run here: the scripts, Redis with the compose
 * arguments, the health check. `scripts/check-image-steps.sh` runs the steps of the image itself.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { Webhook } from "standardwebhooks";
import { parse } from "yaml";
import { startChildServer } from "../support/child-server.ts";
import { freePort } from "../support/free-port.ts";
import { createTempDir } from "../support/temp-dir.ts";

const ROOT = join(import.meta.dirname, "../..");
const run = promisify(execFile);
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

interface ComposeService {
  readonly image: string;
  readonly user?: string;
  readonly init?: boolean;
  readonly read_only?: boolean;
  readonly privileged?: boolean;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks?: readonly string[];
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly stop_grace_period?: string;
  readonly depends_on?: Readonly<Record<string, { condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
}

interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, { file: string }>>;
}

interface Instruction {
  readonly name: string;
  readonly text: string;
}

const compose = parse(read("docker-compose.yml"), { merge: true }) as Compose;
const dockerfile = read("Dockerfile")
  .replaceAll(/^#.*\n/gm, "")
  .replaceAll(/\\\n\s*/g, "")
  .split("\n")
  .filter((line) => line.trim() !== "")
  .map((line): Instruction => ({ name: line.split(" ")[0] ?? "", text: line.slice(line.indexOf(" ") + 1) }));
const finalStage = dockerfile.slice(dockerfile.findLastIndex((one) => one.name === "FROM"));
const buildStage = dockerfile.slice(0, dockerfile.length - finalStage.length);

/** The one text of this instruction; the last counts where Docker says so. */
function only(stage: readonly Instruction[], name: string): string {
  const found = stage.filter((one) => one.name === name);
  expect([name, found.length]).toEqual([name, 1]);
  return found[0]?.text ?? "";
}

const textsOf = (stage: readonly Instruction[], name: string) =>
  stage.filter((one) => one.name === name).map((one) => one.text);
const copiedFromContext = dockerfile
  .filter((one) => one.name === "COPY" && !one.text.startsWith("--from="))
  .flatMap((one) => one.text.split(" ").slice(0, -1));

describe("the build", () => {
  test("runs from what it made alone, the compiled scanners with it", async () => {
    const folder = createTempDir("build");
    try {
      for (const name of [
        "src",
        "scripts/copy-wasm.ts",
        "package.json",
        "tsconfig.json",
        "tsconfig.build.json",
        "config",
      ])
        cpSync(join(ROOT, name), join(folder.path, name), { recursive: true });
      symlinkSync(join(ROOT, "node_modules"), join(folder.path, "node_modules"));
      const env = { ...process.env, PATH: `${join(ROOT, "node_modules/.bin")}:${process.env["PATH"] ?? ""}` };
      const at = { cwd: folder.path, env };
      await run("npm", ["run", "--silent", "build"], at);
      rmSync(join(folder.path, "src"), { recursive: true });
      const { stdout } = await run(process.execPath, ["dist/cli/main.js", "sinks", "list", "--json"], at);
      expect(JSON.parse(stdout)).toEqual(expect.arrayContaining([expect.objectContaining({ kind: "console" })]));
    } finally {
      await folder.remove();
    }
  });
});

describe("Dockerfile", () => {
  test("builds in one stage and runs in another, both on Node 24", () => {
    expect(textsOf(dockerfile, "FROM")).toEqual(["node:24-bookworm-slim AS build", "node:24-bookworm-slim"]);
    expect(textsOf(buildStage, "RUN").join("\n")).toMatch(/npm install.*\nnpm run build$/s);
    expect(textsOf(finalStage, "COPY")).toContain("--from=build /app/dist ./dist");
  });

  test("the final stage installs without scripts and without development packages", () => {
    const installs = textsOf(finalStage, "RUN").filter((text) => text.includes("npm"));
    expect(installs).toHaveLength(1);
    expect(installs[0]).toMatch(/^npm install --ignore-scripts --omit=dev\b/);
    expect(read("Dockerfile")).not.toMatch(/^RUN.*npm ci/m);
  });

  test("runs as a user without rights, stops on SIGTERM and starts the command line", () => {
    expect(only(finalStage, "USER")).toBe("10001:10001");
    expect(only(finalStage, "STOPSIGNAL")).toBe("SIGTERM");
    const entrypoint = JSON.parse(only(finalStage, "ENTRYPOINT")) as string[];
    expect(entrypoint).toEqual(["node", "dist/cli/main.js"]);
    expect(`./${entrypoint[1]}`).toBe(
      (JSON.parse(read("package.json")) as { bin: { heistwatch: string } }).bin.heistwatch,
    );
  });

  test("holds no secret and copies only what is there and needed", () => {
    for (const text of [...textsOf(dockerfile, "ENV"), ...textsOf(dockerfile, "ARG")]) {
      expect(text).not.toMatch(/SECRET|PASSWORD|TOKEN|KEY|_URL/i);
    }
    expect(copiedFromContext.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(copiedFromContext.filter((path) => /^(\.|\.\/|secrets|test|node_modules|\.env)$/.test(path))).toEqual([]);
  });

  test(".dockerignore lets through what is copied, and nothing else", () => {
    const lines = read(".dockerignore")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    expect(lines[0]).toBe("*");
    const allowed = lines.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
    expect(allowed.toSorted()).toEqual([...new Set(copiedFromContext)].toSorted());
    // Customers' addresses stay out of an image that may be pushed somewhere.
    expect(lines.slice(lines.indexOf("!watchlists"))).toContain("watchlists/own");
  });
});

/** Runs a health check of ours against a server that answers with `status`; the exit code. */
async function healthExitCode(command: readonly string[], status: number | null): Promise<number> {
  const [node, ...args] = command;
  expect(node).toBe("node");
  const server = createServer((request, response) => {
    response.writeHead(request.url === "/livez" ? (status ?? 500) : 404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  if (status === null) await new Promise((resolve) => server.close(resolve));
  try {
    await run(
      process.execPath,
      args.map((arg) => arg.replace(":9464/", `:${port}/`)),
    );
    return 0;
  } catch (error) {
    return (error as { code: number }).code;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("the health check asks /livez: alive is 0, unwell and gone are 1, and compose asks the same", async () => {
  const inImage = JSON.parse(/CMD (\[.*\])$/.exec(only(finalStage, "HEALTHCHECK"))?.[1] ?? "[]") as string[];
  expect(["CMD", ...inImage]).toEqual(compose.services["heistwatch"]?.healthcheck?.test);
  expect(await healthExitCode(inImage, 200)).toBe(0);
  expect(await healthExitCode(inImage, 503)).toBe(1);
  expect(await healthExitCode(inImage, null)).toBe(1);
});

describe("docker-compose.yml", () => {
  test("starts heistwatch, redis 7 and postgres 17, the stores first and healthy", () => {
    const images = Object.fromEntries(Object.entries(compose.services).map(([name, { image }]) => [name, image]));
    expect(images).toEqual({ heistwatch: "heistwatch", redis: "redis:7", postgres: "postgres:17" });
    expect(compose.services["heistwatch"]?.depends_on).toEqual({
      postgres: { condition: "service_healthy" },
      redis: { condition: "service_healthy" },
    });
  });

  test.each(Object.entries(compose.services))("%s is locked down and checked", (_name, service) => {
    expect(service).toMatchObject({
      init: true,
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
      stop_grace_period: "30s",
      restart: "unless-stopped",
    });
    expect(service.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(service.cap_add).toBeUndefined();
    expect(service.privileged).toBeUndefined();
    expect(service.tmpfs).toContain("/tmp");
    expect(service.healthcheck?.test[0]).toMatch(/^CMD/);
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  test.each(Object.entries(compose.services))(
    "%s gets its secrets as files and nothing in the clear",
    (_name, service) => {
      for (const [name, value] of Object.entries(service.environment ?? {})) {
        if (/SECRET|PASSWORD|TOKEN|KEY|^DATABASE|^REDIS/.test(name)) expect(name).toMatch(/_FILE$/);
        if (name.endsWith("_FILE")) expect(service.secrets).toContain(value.replace("/run/secrets/", ""));
      }
      expect((service.command ?? []).join(" ")).not.toContain("requirepass");
      for (const secret of service.secrets ?? []) expect(compose.secrets[secret]?.file).toBe(`./secrets/${secret}`);
    },
  );

  test("each secret is read by one service only", () => {
    const readers = Object.values(compose.services).flatMap((service) => service.secrets ?? []);
    expect(readers.toSorted()).toEqual(Object.keys(compose.secrets).toSorted());
  });

  test("what must last is in named volumes, and the stores are reached by nobody else", () => {
    const volumesOf = (name: string) => compose.services[name]?.volumes ?? [];
    expect(volumesOf("redis")).toEqual(["redis:/data"]);
    expect(volumesOf("postgres")).toEqual(["postgres:/var/lib/postgresql/data"]);
    expect(volumesOf("heistwatch")).toContain("data:/app/data");
    expect(Object.keys(compose.volumes).toSorted()).toEqual(["data", "postgres", "redis"]);
    expect(compose.networks["backend"]?.internal).toBe(true);
    for (const name of ["redis", "postgres"]) {
      expect(compose.services[name]).toMatchObject({ networks: ["backend"] });
      expect(compose.services[name]?.ports).toBeUndefined();
    }
  });

  test("every variable it hands on is one the configuration reads", () => {
    const config = read("config/heistwatch.yaml");
    const names = Object.keys(compose.services["heistwatch"]?.environment ?? {}).map((name) =>
      name.replace(/_FILE$/, ""),
    );
    expect(names.filter((name) => !config.includes(`env: ${name}`))).toEqual([]);
  });
});

describe("scripts/make-secrets.sh", () => {
  const temp = createTempDir("secrets");
  const folder = join(temp.path, "secrets");
  const secret = (name: string) => readFileSync(join(folder, name), "utf8").trim();
  const makeSecrets = (where: string) => run(join(ROOT, "scripts/make-secrets.sh"), [where]);
  beforeAll(() => makeSecrets(folder));
  afterAll(() => temp.remove());

  test("makes every secret of the compose file, readable by its owner only", () => {
    expect(readdirSync(folder).toSorted()).toEqual(Object.keys(compose.secrets).toSorted());
    for (const name of readdirSync(folder)) {
      expect([name, (statSync(join(folder, name)).mode & 0o777).toString(8)]).toEqual([name, "600"]);
    }
  });

  test("run by root, each file belongs to the user of the service that reads it", () => {
    if (process.getuid?.() !== 0) return;
    for (const service of Object.values(compose.services)) {
      for (const name of service.secrets ?? []) {
        const { uid, gid } = statSync(join(folder, name));
        expect([name, `${uid}:${gid}`]).toEqual([name, service.user]);
      }
    }
  });

  test("the URLs carry the passwords of the stores, and the signing secrets are valid and differ", () => {
    const database = new URL(secret("database_url"));
    const { environment } = compose.services["postgres"] ?? {};
    expect(database.password).toBe(secret("postgres_password"));
    expect(database.username).toBe(environment?.["POSTGRES_USER"]);
    expect(database.pathname).toBe(`/${environment?.["POSTGRES_DB"]}`);
    expect(database.host).toBe("postgres:5432");
    const redis = new URL(secret("redis_url"));
    expect(`requirepass ${redis.password}`).toBe(secret("redis_conf"));
    expect(redis.host).toBe("redis:6379");
    const signing = [secret("alert_webhook_secret"), secret("operations_webhook_secret")];
    expect(new Set(signing).size).toBe(2);
    for (const text of signing) {
      expect(text).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
      expect(new Webhook(text).sign("msg_1", new Date(), "{}")).toMatch(/^v1,/);
    }
    expect(secret("postgres_password")).toMatch(/^[0-9a-f]{48}$/);
  });

  test("never overwrites what is there, and makes what is missing to fit it", async () => {
    const other = join(temp.path, "other");
    const text = (name: string) => readFileSync(join(other, name), "utf8").trim();
    await makeSecrets(other);
    for (const name of readdirSync(other)) writeFileSync(join(other, name), `requirepass mine-${name}\n`);
    await rm(join(other, "redis_url"));
    await makeSecrets(other);
    expect(text("redis_url")).toBe("redis://:mine-redis_conf@redis:6379");
    for (const name of readdirSync(other).filter((one) => one !== "redis_url")) {
      expect(text(name)).toBe(`requirepass mine-${name}`);
    }
    await writeFile(join(other, "redis_url"), "mine");
    await makeSecrets(other);
    expect(text("redis_url")).toBe("mine");
  });

  test("Redis with the arguments of the compose file wants the password, appends, and never evicts", async () => {
    const port = await freePort();
    const { command = [], healthcheck } = compose.services["redis"] ?? {};
    const [program = "", ...args] = command.map((arg) => hereText(arg, port));
    const server = await startChildServer({
      name: "redis-server",
      command: program,
      args: [...args, "--bind", "127.0.0.1", "--port", String(port), "--dir", temp.path],
      isReady: (output) => output.includes("Ready to accept connections"),
      stopSignal: "SIGTERM",
    });
    try {
      const client = new Redis({ port, host: "127.0.0.1", password: new URL(secret("redis_url")).password });
      expect((await run("redis-cli", ["-p", String(port), "GET", "a"])).stdout).toMatch(/^NOAUTH/);
      expect(await client.config("GET", "appendonly")).toEqual(["appendonly", "yes"]);
      expect(await client.config("GET", "maxmemory-policy")).toEqual(["maxmemory-policy", "noeviction"]);
      await client.quit();

      const [kind, check = ""] = healthcheck?.test ?? [];
      expect(kind).toBe("CMD-SHELL");
      const shell = hereText(check, port).replaceAll("$$", "$");
      await run("sh", ["-c", shell]);
      await server.stop();
      await expect(run("sh", ["-c", shell])).rejects.toThrow("Command failed");
    } finally {
      await server.stop();
    }
  });

  /** A text of the compose file as it would be if its container were this machine. */
  function hereText(text: string, port: number): string {
    return text.replaceAll("/run/secrets/", `${folder}/`).replace("-p 6379", `-p ${port}`);
  }
});

test("secrets are not committed", () => {
  expect(read(".gitignore").split("\n")).toContain("/secrets/");
});

test("the licence is the unmodified Apache License 2.0 with our name in its notice", () => {
  const text = read("LICENSE");
  const blank = text.replace("Copyright 2026 The heistwatch authors", "Copyright [yyyy] [name of copyright owner]");
  expect(blank).not.toBe(text);
  // SHA-256 of https://www.apache.org/licenses/LICENSE-2.0.txt
  expect(createHash("sha256").update(blank).digest("hex")).toBe(
    "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30",
  );
});

test.each(["scripts/make-secrets.sh", "scripts/test.sh", "scripts/check-image-steps.sh", ".ci/run"])(
  "%s can be run",
  (path) => {
    expect(() => accessSync(join(ROOT, path), constants.X_OK)).not.toThrow();
  },
);

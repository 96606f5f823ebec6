/** Client certificates and an authority of one's own, against a real TLS server that asks for both. */
import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createTempDir } from "../support/temp-dir.ts";
import { listen, send, sinkTo } from "./receivers.ts";

const dir = createTempDir("tls");
const file = (name: string) => join(dir.path, name);
const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "pipe", cwd: dir.path });

beforeAll(() => {
  for (const ca of ["ours", "theirs"])
    openssl(
      ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2".split(" "),
      "-keyout",
      `${ca}.key`,
      "-out",
      `${ca}.pem`,
      "-subj",
      `/CN=${ca}`,
    );
  issue("server", "ours", "subjectAltName=IP:127.0.0.1");
  issue("client", "ours", "extendedKeyUsage=clientAuth");
  issue("stranger", "theirs", "extendedKeyUsage=clientAuth");
}, 60_000);
afterAll(() => dir.remove());

function issue(name: string, ca: string, extension: string): void {
  writeFileSync(file(`${name}.ext`), extension);
  openssl(
    ..."req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes".split(" "),
    "-keyout",
    `${name}.key`,
    "-out",
    `${name}.csr`,
    "-subj",
    `/CN=${name}`,
  );
  openssl(
    "x509",
    "-req",
    "-days",
    "2",
    "-in",
    `${name}.csr`,
    "-CA",
    `${ca}.pem`,
    "-CAkey",
    `${ca}.key`,
    "-CAcreateserial",
    "-extfile",
    `${name}.ext`,
    "-out",
    `${name}.pem`,
  );
}

/** Answers who it was that connected. */
async function mutual() {
  const [key, cert, ca] = ["server.key", "server.pem", "ours.pem"].map((name) => readFileSync(file(name)));
  const options = { key, cert, ca, requestCert: true, rejectUnauthorized: true } as const;
  const server = createServer(options, (request, response) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate();
    response.setHeader("connection", "close").end(String(subject.CN));
  });
  return listen(server);
}

const over = (port: number, names: { ca?: string; cert?: string; key?: string }) => ({
  url: `https://127.0.0.1:${port}/`,
  ...(names.ca === undefined ? {} : { caFile: file(names.ca) }),
  ...(names.cert === undefined ? {} : { certFile: file(names.cert), keyFile: file(names.key ?? "") }),
});

test("a receiver that asks for our certificate gets it, and is believed by the authority of the file", async () => {
  const { port } = await mutual();
  const sink = sinkTo(port, over(port, { ca: "ours.pem", cert: "client.pem", key: "client.key" }));
  expect(await send(sink)).toMatchObject({ result: "delivered", status: 200, excerpt: "client" });
});

test.each([
  ["no authority that knows the receiver", { cert: "client.pem", key: "client.key" }, "TLS certificate not accepted"],
  ["another authority", { ca: "theirs.pem", cert: "client.pem", key: "client.key" }, "TLS certificate not accepted"],
  ["no certificate of our own", { ca: "ours.pem" }, ""],
  ["a certificate of a stranger", { ca: "ours.pem", cert: "stranger.pem", key: "stranger.key" }, ""],
  [
    "a key of another certificate",
    { ca: "ours.pem", cert: "client.pem", key: "server.key" },
    "do not make a TLS identity",
  ],
  ["a file that is not there", { ca: "nowhere.pem" }, "cannot be read (ENOENT)"],
])("%s: nothing is delivered, the error says why, and no key is in it", async (_name, names, error) => {
  const { port } = await mutual();
  const outcome = await send(sinkTo(port, over(port, names)));
  expect(outcome).toMatchObject({ result: "retry", status: null, error: expect.stringContaining(error) });
  expect(JSON.stringify(outcome)).not.toContain("PRIVATE");
});

test("a renewed certificate is used at the next dial, without a restart", async () => {
  const { port } = await mutual();
  for (const part of ["pem", "key"]) copyFileSync(file(`stranger.${part}`), file(`renewed.${part}`));
  const sink = sinkTo(port, over(port, { ca: "ours.pem", cert: "renewed.pem", key: "renewed.key" }));
  expect(await send(sink)).toMatchObject({ result: "retry" });
  for (const part of ["pem", "key"]) copyFileSync(file(`client.${part}`), file(`renewed.${part}`));
  expect(await send(sink)).toMatchObject({ result: "delivered", excerpt: "client" });
});

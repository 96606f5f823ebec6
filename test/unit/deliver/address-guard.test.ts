import type { LookupAddress } from "node:dns";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { createAddressGuard, createGuardedLookup, type ResolveAll } from "../../../src/deliver/address-guard.ts";
import { ConfigError } from "../../../src/lib/errors.ts";
import { EVERYTHING, NEVER, OPENABLE, PUBLIC } from "./address-vectors.ts";

describe("the address guard", () => {
  test.each(NEVER)("%p is refused as %s, whatever is listed", (address, network) => {
    for (const allowNetworks of [[], EVERYTHING]) {
      const refusal = createAddressGuard(allowNetworks).refusalOf(address);
      expect(refusal?.network).toContain(network);
      expect(refusal?.openable).toBe(false);
    }
  });

  test.each(OPENABLE)("%s is refused as %s, %s opens it, %s does not", (address, network, opens, other) => {
    const refusal = { network, openable: true };
    expect(createAddressGuard([]).refusalOf(address)).toEqual(refusal);
    expect(createAddressGuard([other]).refusalOf(address)).toEqual(refusal);
    expect(createAddressGuard([other, opens]).refusalOf(address)).toBeNull();
  });

  test.each(PUBLIC)("%s is public and may be dialled", (address) => {
    expect(createAddressGuard([]).refusalOf(address)).toBeNull();
    expect(createAddressGuard(["10.0.0.0/8"]).refusalOf(address)).toBeNull();
  });

  test("link-local and metadata stay refused when listed by name", () => {
    const guard = createAddressGuard([
      "169.254.169.254/32",
      "169.254.0.0/16",
      "fe80::/10",
      "fd00:ec2::254",
      "fd00::/8",
    ]);
    for (const address of ["169.254.169.254", "169.254.1.1", "fe80::1", "fd00:ec2::254", "::ffff:169.254.169.254"]) {
      expect(guard.refusalOf(address)?.openable).toBe(false);
    }
  });

  const ipv4 = fc.tuple(...[0, 0, 0, 0].map(() => fc.nat(255))).map((bytes) => bytes.join("."));
  const interesting = fc.oneof(ipv4, fc.constantFrom(...[...NEVER, ...OPENABLE].map(([text]) => text), ...PUBLIC));
  const networks = fc.subarray(["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1", "fc00::/7"]);

  test("an IPv4 address and every mapped spelling of it get one verdict", () => {
    fc.assert(
      fc.property(ipv4, networks, (address, allowNetworks) => {
        const guard = createAddressGuard(allowNetworks);
        const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
        const [high, low] = [((a << 8) | b).toString(16), ((c << 8) | d).toString(16)];
        const verdict = guard.refusalOf(address);
        for (const spelling of [
          `::ffff:${address}`,
          `::FFFF:${high}:${low}`,
          `0:0:0:0:0:ffff:${address}`,
          `0000:0000:0000:0000:0000:ffff:${high.padStart(4, "0")}:${low.padStart(4, "0")}`,
          `[::ffff:${address}]`,
          `::ffff:${address}%eth0`,
        ]) {
          expect(guard.refusalOf(spelling)).toEqual(verdict);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("an IPv4 address inside a transition form is never reachable", () => {
    fc.assert(
      fc.property(ipv4, (address) => {
        const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
        const [high, low] = [((a << 8) | b).toString(16), ((c << 8) | d).toString(16)];
        const guard = createAddressGuard([...EVERYTHING]);
        for (const form of [`64:ff9b::${address}`, `2002:${high}:${low}::1`, `2001:0:${high}:${low}::1`]) {
          expect(guard.refusalOf(form)?.openable).toBe(false);
        }
      }),
    );
  });

  test("listing more networks never refuses more, and no text makes it throw", () => {
    fc.assert(
      fc.property(fc.oneof(interesting, fc.ipV6(), fc.string()), networks, (address, allowNetworks) => {
        const before = createAddressGuard([]).refusalOf(address);
        const after = createAddressGuard(allowNetworks).refusalOf(address);
        expect(after === null || after.network === before?.network).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test.each(["10.0.0.0/33", "::/129", "10.0.0/8", "intern", "", "10.0.0.0/", "10.0.0.0/-1", "fe80::1%eth0/64", "/8"])(
    "%p is no network",
    (cidr) => {
      expect(() => createAddressGuard([cidr])).toThrow(ConfigError);
    },
  );

  test("an IPv4 network written in IPv6 form is refused, since it would silently match nothing", () => {
    expect(() => createAddressGuard(["::ffff:10.0.0.0/104"])).toThrow("write it as IPv4");
  });
});

const answering =
  (...addresses: string[]): ResolveAll =>
  (_host, answer) =>
    answer(null, addresses.map(toLookupAddress));

function toLookupAddress(address: string): LookupAddress {
  return { address, family: address.includes(":") ? 6 : 4 };
}

function ask(resolve: ResolveAll, options: { all?: boolean } = { all: true }, allowNetworks: string[] = []) {
  return new Promise((done) => {
    const lookup = createGuardedLookup(createAddressGuard(allowNetworks), resolve);
    lookup("hooks.example", options, (error, address, family) => done(error ?? { address, family }));
  });
}

describe("the guarded lookup", () => {
  test("checked addresses come back in their order, in the form that was asked for", async () => {
    const resolve = answering("2606:4700:4700::1111", "1.1.1.1");
    expect(await ask(resolve)).toEqual({
      address: ["2606:4700:4700::1111", "1.1.1.1"].map(toLookupAddress),
      family: undefined,
    });
    expect(await ask(resolve, {})).toEqual({ address: "2606:4700:4700::1111", family: 6 });
  });

  test.each([
    [["127.0.0.1", "1.1.1.1"]],
    [["1.1.1.1", "127.0.0.1"]],
    [["1.1.1.1", "8.8.8.8", "169.254.169.254"]],
    [["::ffff:10.0.0.1"]],
  ])("one refused address refuses the name: %j", async (addresses) => {
    for (const options of [{ all: true }, {}]) {
      expect(await ask(answering(...addresses), options)).toMatchObject({ code: "address_refused" });
    }
  });

  test("the refusal names host, address, network and the way out", async () => {
    expect(await ask(answering("10.1.2.3"))).toMatchObject({
      message:
        "refused to connect to hooks.example (10.1.2.3): private network; " +
        "list its network in allowNetworks of the sink if the receiver is meant to be there",
    });
    expect(await ask(answering("169.254.169.254"))).toMatchObject({
      message: expect.stringContaining("allowNetworks cannot open it"),
    });
  });

  test("a listed network opens the name", async () => {
    expect(await ask(answering("10.1.2.3"), {}, ["10.1.0.0/16"])).toEqual({ address: "10.1.2.3", family: 4 });
  });

  test("a resolver's error and an empty answer are errors", async () => {
    const failure = Object.assign(new Error("no"), { code: "ENOTFOUND" });
    expect(await ask((_host, answer) => answer(failure, []))).toBe(failure);
    expect(await ask(answering())).toMatchObject({ code: "ENOTFOUND" });
  });
});

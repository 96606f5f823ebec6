/**
 * Which addresses a sink may be dialled at: an IP address in, a refusal or null out, asked at every dial.
 *
 * heistwatch runs inside an exchange's network. A receiver's URL, or the DNS behind it, must not turn it into a hand
 * that reaches a metadata service or an admin port. What always holds:
 * - The address that was checked is the address that is dialled (no second DNS answer in between).
 * - One refused address among several refuses the name: rebinding answers with a good and a bad one.
 * - `allowNetworks` opens loopback and private networks only. Nothing opens the rest.
 */
import { lookup, type LookupAddress } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import type { SecureContextOptions } from "node:tls";
import { buildConnector } from "undici";
import { AppError, ConfigError } from "../lib/errors.ts";

/** A network that is refused. `openable`: unless `allowNetworks` covers the address. */
interface RefusedNetwork {
  readonly name: string;
  readonly openable: boolean;
  readonly cidrs: readonly string[];
}

// First match wins, so exact addresses stand before the networks that hold them.
const REFUSED_IPV4: readonly RefusedNetwork[] = [
  { name: "unspecified (this host)", openable: false, cidrs: ["0.0.0.0/8"] },
  { name: "link-local, where cloud metadata lives", openable: false, cidrs: ["169.254.0.0/16"] },
  // Azure's platform address is a public one that answers only from inside a machine there.
  { name: "cloud metadata", openable: false, cidrs: ["168.63.129.16/32"] },
  // Alibaba's metadata address 100.100.100.200 is in here too.
  { name: "carrier-grade NAT", openable: false, cidrs: ["100.64.0.0/10"] },
  { name: "IETF protocol assignments", openable: false, cidrs: ["192.0.0.0/24"] },
  { name: "documentation", openable: false, cidrs: ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"] },
  { name: "6to4 relay", openable: false, cidrs: ["192.88.99.0/24"] },
  { name: "benchmarking", openable: false, cidrs: ["198.18.0.0/15"] },
  { name: "multicast", openable: false, cidrs: ["224.0.0.0/4"] },
  { name: "broadcast", openable: false, cidrs: ["255.255.255.255/32"] },
  { name: "reserved", openable: false, cidrs: ["240.0.0.0/4"] },
  { name: "loopback", openable: true, cidrs: ["127.0.0.0/8"] },
  { name: "private network", openable: true, cidrs: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"] },
];

const REFUSED_IPV6: readonly RefusedNetwork[] = [
  { name: "unspecified (this host)", openable: false, cidrs: ["::/128"] },
  { name: "loopback", openable: true, cidrs: ["::1/128"] },
  // Deprecated forms that carry an IPv4 address: whatever is inside, nobody needs them to reach a receiver.
  { name: "IPv4-compatible", openable: false, cidrs: ["::/96"] },
  { name: "IPv4-translated", openable: false, cidrs: ["::ffff:0:0:0/96"] },
  { name: "NAT64", openable: false, cidrs: ["64:ff9b::/96", "64:ff9b:1::/48"] },
  { name: "6to4", openable: false, cidrs: ["2002::/16"] },
  { name: "Teredo", openable: false, cidrs: ["2001::/32"] },
  { name: "IETF protocol assignments", openable: false, cidrs: ["2001::/23"] },
  { name: "documentation", openable: false, cidrs: ["2001:db8::/32", "3fff::/20"] },
  { name: "discard", openable: false, cidrs: ["100::/64", "100:0:0:1::/64"] },
  { name: "segment routing", openable: false, cidrs: ["5f00::/16"] },
  { name: "link-local, where cloud metadata lives", openable: false, cidrs: ["fe80::/10"] },
  { name: "site-local", openable: false, cidrs: ["fec0::/10"] },
  { name: "multicast", openable: false, cidrs: ["ff00::/8"] },
  // AWS and Google answer here, inside the private range.
  { name: "cloud metadata", openable: false, cidrs: ["fd00:ec2::/32", "fd20:ce::254/128"] },
  { name: "private network", openable: true, cidrs: ["fc00::/7"] },
];

/** The only IPv6 addresses handed out for public use; what lies outside and is not named above is reserved. */
const PUBLIC_IPV6 = "2000::/3";

type Family = "ipv4" | "ipv6";

interface CanonicalAddress {
  readonly text: string;
  readonly family: Family;
}

interface Rule {
  readonly name: string;
  readonly openable: boolean;
  readonly networks: BlockList;
}

const RULES: Readonly<Record<Family, readonly Rule[]>> = {
  ipv4: REFUSED_IPV4.map(ruleOf),
  ipv6: REFUSED_IPV6.map(ruleOf),
};
const PUBLIC_IPV6_NETWORK = networksOf([PUBLIC_IPV6]).ipv6;

/** An address that may not be dialled, and whether `allowNetworks` could open it. */
export interface AddressRefusal {
  readonly network: string;
  readonly openable: boolean;
}

export interface AddressGuard {
  /** Null: may be dialled. A text that is no IP address is refused. */
  refusalOf(address: string): AddressRefusal | null;
}

/** `allowNetworks` holds CIDRs of the configuration file; a lone address stands for itself. */
export function createAddressGuard(allowNetworks: readonly string[]): AddressGuard {
  const allowed = networksOf(allowNetworks);
  return {
    refusalOf(address) {
      const canonical = canonicalAddress(address);
      if (canonical === null) return { network: "not an IP address", openable: false };
      const refusal = refusalByRules(canonical);
      if (refusal === null) return null;
      return refusal.openable && allowed[canonical.family].check(canonical.text, canonical.family) ? null : refusal;
    },
  };
}

/** The connection was never opened. */
export class AddressRefusedError extends AppError {
  override readonly code = "address_refused";
  override readonly retryable = true;

  constructor(host: string, address: string, refusal: AddressRefusal) {
    const what = host === address ? host : `${host} (${address})`;
    const advice = refusal.openable
      ? "list its network in allowNetworks of the sink if the receiver is meant to be there"
      : "allowNetworks cannot open it";
    super(`refused to connect to ${what}: ${refusal.network}; ${advice}`, { details: { host, address } });
  }
}

/** All addresses of a name, in the order to try them. */
export type ResolveAll = (host: string, answer: (error: Error | null, addresses: LookupAddress[]) => void) => void;

const resolveBySystem: ResolveAll = (host, answer) => lookup(host, { all: true }, answer);

/** A `lookup` for a dial: it answers with checked addresses only, so no second answer can slip in between. */
export function createGuardedLookup(guard: AddressGuard, resolve: ResolveAll = resolveBySystem): LookupFunction {
  return (host, options, callback) => {
    resolve(host, (error, addresses) => {
      if (error !== null) return callback(error, []);
      for (const { address } of addresses) {
        const refusal = guard.refusalOf(address);
        if (refusal !== null) return callback(new AddressRefusedError(host, address, refusal), []);
      }
      const [first] = addresses;
      if (first === undefined) {
        return callback(Object.assign(new Error("host name has no address"), { code: "ENOTFOUND" }), []);
      }
      if (options.all === true) return callback(null, addresses);
      callback(null, first.address, first.family);
    });
  };
}

/** How a sink's agent dials. Node asks no `lookup` for a host that is an address already, so that is checked here. */
export function createGuardedConnect(options: {
  readonly guard: AddressGuard;
  readonly timeoutMs: number;
  /** The certificates of now; what it answered the last time where they have not changed. Throws when it cannot read them. */
  readonly readTls?: () => SecureContextOptions;
  readonly resolve?: ResolveAll;
}): buildConnector.connector {
  const { guard, timeoutMs, readTls = () => NO_FILES, resolve } = options;
  const guardedLookup = createGuardedLookup(guard, resolve);
  let tls: SecureContextOptions | null = null;
  let dial: buildConnector.connector | null = null;

  function dialNow(target: buildConnector.Options, callback: buildConnector.Callback): void {
    const now = readTls();
    if (dial === null || now !== tls) dial = buildConnector({ ...now, lookup: guardedLookup, timeout: timeoutMs });
    tls = now;
    dial(target, callback);
  }

  return (target, callback) => {
    const refusal = canonicalAddress(target.hostname) === null ? null : guard.refusalOf(target.hostname);
    try {
      if (refusal !== null) throw new AddressRefusedError(target.hostname, target.hostname, refusal);
      dialNow(target, callback);
    } catch (error) {
      queueMicrotask(() => callback(error as Error, null));
    }
  };
}

const NO_FILES: SecureContextOptions = {};

function refusalByRules({ text, family }: CanonicalAddress): AddressRefusal | null {
  for (const { name, openable, networks } of RULES[family]) {
    if (networks.check(text, family)) return { network: name, openable };
  }
  if (family === "ipv6" && !PUBLIC_IPV6_NETWORK.check(text, family)) return { network: "reserved", openable: false };
  return null;
}

/**
 * One text per address: brackets and `%scope` off, IPv6 compressed, and an IPv4-mapped address as the IPv4 address that
 * the kernel would dial. Null when the text is no address.
 */
function canonicalAddress(text: string): CanonicalAddress | null {
  const bare = text.replace(/^\[(.*)\]$/, "$1").replace(/%.*$/s, "");
  if (isIP(bare) === 4) return { text: bare, family: "ipv4" };
  if (isIP(bare) !== 6) return null;
  const compressed = new URL(`http://[${bare}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(compressed);
  if (mapped === null) return { text: compressed, family: "ipv6" };
  const [high, low] = [Number.parseInt(mapped[1] ?? "", 16), Number.parseInt(mapped[2] ?? "", 16)];
  return { text: `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`, family: "ipv4" };
}

function ruleOf({ name, openable, cidrs }: RefusedNetwork): Rule {
  const networks = new BlockList();
  for (const cidr of cidrs) addNetwork(networks, parseCidr(cidr));
  return { name, openable, networks };
}

/** One list per family: a list that holds both also compares an IPv4 address with IPv6 networks. */
function networksOf(cidrs: readonly string[]): Record<Family, BlockList> {
  const networks = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const cidr of cidrs) {
    const network = parseCidr(cidr);
    addNetwork(networks[network.family], network);
  }
  return networks;
}

interface Network extends CanonicalAddress {
  readonly prefix: number;
}

function addNetwork(list: BlockList, { text, prefix, family }: Network): void {
  list.addSubnet(text, prefix, family);
}

function parseCidr(cidr: string): Network {
  const [, text = "", prefixText] = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(cidr) ?? [];
  const version = isIP(text);
  const bits = version === 4 ? 32 : 128;
  const prefix = prefixText === undefined ? bits : Number(prefixText);
  if (version === 0 || prefix > bits) {
    throw new ConfigError(`"${cidr}" is not a network: write it like 10.20.0.0/16 or fd12:3456::/48`);
  }
  // A mapped network would never match, since mapped addresses are compared as IPv4.
  if (version === 6 && canonicalAddress(text)?.family === "ipv4") {
    throw new ConfigError(`"${cidr}" is an IPv4 network in IPv6 form: write it as IPv4`);
  }
  return { text, prefix, family: version === 4 ? "ipv4" : "ipv6" };
}

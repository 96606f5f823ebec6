/** Small contracts, compiled by the real compiler: real tokens with real logs. */
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Interface, type InterfaceAbi } from "ethers";

const SOURCE = `
// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

contract Token {
  event Transfer(address indexed from, address indexed to, uint256 value);
  uint8 public immutable decimals;
  mapping(address => uint256) public balanceOf;

  constructor(uint8 decimals_) { decimals = decimals_; }

  function mint(address to, uint256 value) external { balanceOf[to] += value; emit Transfer(address(0), to, value); }

  function transfer(address to, uint256 value) external returns (bool) { return move(msg.sender, to, value); }

  // Anyone may move anything: several senders and recipients in one transaction.
  function batch(address[] calldata from, address[] calldata to, uint256[] calldata value) external {
    for (uint256 i = 0; i < from.length; i++) move(from[i], to[i], value[i]);
  }

  function move(address from, address to, uint256 value) private returns (bool) {
    require(balanceOf[from] >= value, "balance");
    balanceOf[from] -= value;
    balanceOf[to] += value;
    emit Transfer(from, to, value);
    return true;
  }
}

contract Vault {
  constructor() payable {}
  receive() external payable { revert("closed"); }
}
`;

// A token whose log says whatever its caller wants: a counterfeit does just that, and dust of a real one looks the same.
const SPRAY_SOURCE = `
// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;
contract Spray {
  event Transfer(address indexed from, address indexed to, uint256 value);
  function spray(address from, uint160 first, uint256 count, uint256 value) external {
    for (uint160 i = 0; i < count; i++) emit Transfer(from, address(first + i), value);
  }
}`;

export interface Compiled {
  readonly abi: Interface;
  readonly bytecode: string;
}

export async function compileContracts(): Promise<{ token: Compiled; vault: Compiled }> {
  const compiled = await compileSolidity(SOURCE);
  return { token: compiled("Token"), vault: compiled("Vault") };
}

/** `spray(from, first, count, value)`: a log for each of `count` recipients in a row. */
export async function compileSpray(): Promise<Compiled> {
  return (await compileSolidity(SPRAY_SOURCE))("Spray");
}

/** The contracts of a source by name. */
export async function compileSolidity(source: string): Promise<(name: string) => Compiled> {
  const input = {
    language: "Solidity",
    sources: { "contracts.sol": { content: source } },
    settings: { outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } } },
  };
  const output = JSON.parse(await runCompiler(JSON.stringify(input))) as {
    errors?: { severity: string; formattedMessage: string }[];
    contracts: Record<string, Record<string, { abi: InterfaceAbi; evm: { bytecode: { object: string } } }>>;
  };
  const errors = (output.errors ?? []).filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join("\n"));
  return (name) => {
    const contract = output.contracts["contracts.sol"]?.[name];
    if (contract === undefined) throw new Error(`the compiler made no ${name}`);
    return { abi: new Interface(contract.abi), bytecode: `0x${contract.evm.bytecode.object}` };
  };
}

/** As a child: the compiler is 8 MB of WebAssembly that does not belong into the test process. */
function runCompiler(input: string): Promise<string> {
  const manifest = createRequire(import.meta.url).resolve("solc/package.json");
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [join(dirname(manifest), "solc.js"), "--standard-json"],
      { maxBuffer: 32 * 1024 * 1024 },
      // A line about the SMT solver may stand before the JSON.
      (error, stdout) => (error === null ? resolve(stdout.slice(stdout.indexOf("{"))) : reject(error)),
    );
    child.stdin?.end(input);
  });
}

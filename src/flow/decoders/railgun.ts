/** Railgun: what goes in and comes out is in the clear, what happens between is not. */
import type { Result } from "ethers";
import { createDecoder } from "./abi.ts";

// Railgun-Privacy/contract @9ec0912, contracts/logic/RailgunLogic.sol.
const SHIELD =
  "event Shield(uint256 treeNumber, uint256 startPosition, (bytes32 npk, (uint8 tokenType, address tokenAddress, uint256 tokenSubID) token, uint120 value)[] commitments, (bytes32[3] encryptedBundle, bytes32 shieldKey)[] shieldCiphertext, uint256[] fees)";
const UNSHIELD =
  "event Unshield(address to, (uint8 tokenType, address tokenAddress, uint256 tokenSubID) token, uint256 amount, uint256 fee)";

const mixer = "railgun";
/** `TokenType.ERC20`; the others are single pieces, which nobody follows by amount. */
const ERC20 = 0n;

interface Token {
  readonly tokenType: bigint;
  readonly tokenAddress: string;
}

export const railgun = createDecoder("Railgun", {
  [SHIELD]: (args) => {
    const fees = [...(args["fees"] as Result)] as bigint[];
    return [...(args["commitments"] as Result)].flatMap((one, place) => {
      const { token, value } = one as { token: Token; value: bigint };
      if (token.tokenType !== ERC20) return [];
      return [
        {
          said: "mixerDeposit" as const,
          mixer,
          token: token.tokenAddress,
          amount: value,
          fee: fees[place] ?? null,
          commitment: null,
        },
      ];
    });
  },
  [UNSHIELD]: (args) => {
    const token = args["token"] as unknown as Token;
    if (token.tokenType !== ERC20) return [];
    return [
      {
        said: "mixerWithdrawal",
        mixer,
        recipient: args["to"] as string,
        token: token.tokenAddress,
        amount: args["amount"] as bigint,
        fee: args["fee"] as bigint,
      },
    ];
  },
});

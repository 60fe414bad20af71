import type { cryptokeysQueries } from "../../gen/cryptokeys.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { system } from "../rule.ts";

const type = "crypto_key";

export const cryptokeysRules = {
  getCryptoKeys: system("read", "whoever has a key signs in the deployment's name", type),
  insertCryptoKey: system("create", "keys are the rotator's", type),
  updateCryptoKeyDeletesAt: system("update", "keys are the rotator's", type),
  deleteCryptoKeySecret: system("delete", "keys are the rotator's", type),
} satisfies RulesOf<typeof cryptokeysQueries>;

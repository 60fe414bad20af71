/** bcrypt, as Terraform's function and `random_password` have it. */
import { encodeBase64, hashSync } from "bcryptjs";
import type { Rand } from "#cryptorand/cryptorand.ts";
import * as t from "../cty/type.ts";
import * as v from "../cty/value.ts";
import { ValueError } from "../cty/value.ts";
import type { HclFunction } from "../hcl/scope.ts";
import { arg, define, intOf, number, text, textOf } from "./define.ts";

/** Only the first 72 bytes of the text count. `cost`: 4 to 31, each doubles the work. */
export function bcryptHash(secret: string, cost: number, rand: Rand): string {
  return hashSync(secret, `$2a$${String(cost).padStart(2, "0")}$${encodeBase64([...rand.bytes(16)], 16)}`);
}

/** `bcrypt(text[, cost])`. Its work comes out of the evaluation's budget, so that no template can stop the process. */
export const bcryptFunction = (rand: Rand): HclFunction =>
  define({ params: [text], rest: number, returns: t.string }, (args, context) => {
    if (args.length > 2) throw new ValueError("bcrypt() takes one or two arguments", 2);
    const cost = args.length > 1 ? intOf(arg(args, 1)) : 10;
    if (cost < 4 || cost > 31) throw new ValueError(`a cost is 4 to 31: received ${cost}`, 1);
    context.spend(16 * 2 ** cost);
    const secret = textOf(args[0]);
    if (Buffer.byteLength(secret) > 72) throw new ValueError("bcrypt() reads no more than 72 bytes", 0);
    return v.str(bcryptHash(secret, cost, rand));
  });

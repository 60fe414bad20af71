/** Whether a password is strong enough: at least 52 bits of entropy, at most 64 bytes. Pure. */

const minEntropyBits = 52;
export const maxPasswordBytes = 64;

interface CharClass {
  readonly chars: string;
  /** What to try when the class is missing. */
  readonly hint: "special" | "lower" | "upper" | "digit";
}

const classes: readonly CharClass[] = [
  { chars: "!@$&*", hint: "special" },
  { chars: "_-., ", hint: "special" },
  { chars: "\"#%'()+/:;<=>?[\\]^{|}~`", hint: "special" },
  { chars: "abcdefghijklmnopqrstuvwxyz", hint: "lower" },
  { chars: "ABCDEFGHIJKLMNOPQRSTUVWXYZ", hint: "upper" },
  { chars: "0123456789", hint: "digit" },
];

const hints = {
  special: "including more special characters",
  lower: "using lowercase letters",
  upper: "using uppercase letters",
  digit: "using numbers",
} satisfies Readonly<Record<CharClass["hint"], string>>;

const runs: readonly string[] = [
  "0123456789",
  "qwertyuiop",
  "asdfghjkl",
  "zxcvbnm",
  "abcdefghijklmnopqrstuvwxyz",
].flatMap((run) => [run, Array.from(run).toReversed().join("")]);

/** Drops the third and later character of everything in which each one follows the one before it. */
function shorten(chars: readonly string[], follows: (before: string, after: string) => boolean): string[] {
  let length = 0;
  return chars.filter((char, at) => {
    const before = chars[at - 1];
    length = before !== undefined && follows(before, char) ? length + 1 : 1;
    return length <= 2;
  });
}

export function entropyBits(password: string): number {
  const given = new Set(password);
  let base = 0;
  for (const { chars } of classes) {
    if (Array.from(chars).some((char) => given.has(char))) base += chars.length;
  }
  const known = new Set(classes.map(({ chars }) => chars).join(""));
  for (const char of given) if (!known.has(char)) base++;
  let left = shorten(Array.from(password), (before, after) => before === after);
  for (const run of runs) {
    left = shorten(left, (before, after) => {
      const at = run.indexOf(before);
      return at >= 0 && run[at + 1] === after;
    });
  }
  return base === 0 ? 0 : left.length * Math.log2(base);
}

/** What is wrong with the password, or undefined. */
export function passwordProblem(password: string): string | undefined {
  const weak = entropyBits(password) < minEntropyBits;
  if (weak) {
    const missing = classes.filter(({ chars }) => !Array.from(chars).some((char) => password.includes(char)));
    const tries = Array.from(new Set(missing.map(({ hint }) => hints[hint])));
    const all = tries.length === 0 ? "" : `${tries.join(", ")} or `;
    return `insecure password, try ${all}using a longer password`;
  }
  if (Buffer.byteLength(password) > maxPasswordBytes) {
    return `password must be no more than ${maxPasswordBytes} characters`;
  }
  return undefined;
}

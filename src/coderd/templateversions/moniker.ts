/** Names for versions that got none: `quiet_otter_42`. */
import type { Rand } from "#cryptorand/cryptorand.ts";

const adjectives =
  "able amber ample brave brisk calm clear clever cosy crisp eager early fair fond gentle glad grand happy keen kind light lively loyal merry mild neat noble plain proud quick quiet rapid ready sharp silent smooth snug solid steady still sunny swift tidy vivid warm wise witty young".split(
    " ",
  );
const nouns =
  "acorn badger beacon birch brook canyon cedar cliff cloud comet coral crane delta falcon fern finch fjord forest garden glacier harbor hazel heron island jay kestrel lagoon lantern maple marten meadow mesa moss oak orchid osprey otter pebble pine prairie quartz raven reef river robin spruce summit thrush tundra valley willow wren".split(
    " ",
  );

export function moniker(rand: Rand): string {
  const pick = (words: readonly string[]): string => words[rand.int(words.length)] ?? "";
  return `${pick(adjectives)}_${pick(nouns)}_${rand.int(100)}`;
}

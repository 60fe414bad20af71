/** What a parsed HCL file consists of. Expressions keep offsets; `Source.range` makes places of them on demand. */
import type { Value } from "../cty/value.ts";
import type { Source } from "./source.ts";

interface At {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

export type Expression = At &
  (
    | { readonly kind: "literal"; readonly value: Value }
    /** Parts join as text; a template of one interpolation alone is `wrap`. */
    | { readonly kind: "template"; readonly parts: readonly Expression[] }
    | { readonly kind: "wrap"; readonly inner: Expression }
    | { readonly kind: "variable"; readonly name: string }
    | { readonly kind: "attribute"; readonly of: Expression; readonly name: string }
    | { readonly kind: "index"; readonly of: Expression; readonly key: Expression; readonly legacy?: true }
    /** `each` is applied to every item, which it names by `item`. */
    | { readonly kind: "splat"; readonly of: Expression; readonly each: Expression }
    | { readonly kind: "item" }
    | {
        readonly kind: "call";
        readonly name: string;
        readonly args: readonly Expression[];
        readonly expand: boolean;
      }
    | { readonly kind: "unary"; readonly op: "!" | "-"; readonly of: Expression }
    | {
        readonly kind: "binary";
        readonly op: BinaryOp;
        readonly left: Expression;
        readonly right: Expression;
      }
    | {
        readonly kind: "conditional";
        readonly condition: Expression;
        readonly yes: Expression;
        readonly no: Expression;
        /** `%{ if }` without else, or with: its result is text. */
        readonly directive?: true;
      }
    | { readonly kind: "tuple"; readonly items: readonly Expression[] }
    | {
        readonly kind: "object";
        readonly items: readonly { readonly key: Expression; readonly value: Expression }[];
      }
    | {
        readonly kind: "for";
        readonly keyName?: string;
        readonly valueName: string;
        readonly over: Expression;
        /** Given for `{for … : key => value}`. */
        readonly key?: Expression;
        readonly value: Expression;
        readonly group: boolean;
        readonly condition?: Expression;
        /** `%{ for }`: the results join as text. */
        readonly directive?: true;
      }
  );

export type BinaryOp = "||" | "&&" | "==" | "!=" | "<" | ">" | "<=" | ">=" | "+" | "-" | "*" | "/" | "%";

export interface Attribute {
  readonly name: string;
  readonly value: Expression;
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

export interface Block {
  readonly type: string;
  readonly labels: readonly string[];
  readonly body: Body;
  readonly source: Source;
  readonly start: number;
  /** End of the header, before `{`. */
  readonly headEnd: number;
  readonly end: number;
}

export interface Body {
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly blocks: readonly Block[];
  readonly source: Source;
  readonly end: number;
  /** From a `.tf.json` file: nested blocks stand among the attributes. */
  readonly json?: true;
}

export const rangeOf = (node: { readonly source: Source; readonly start: number; readonly end: number }) =>
  node.source.range(node.start, node.end);

/** Text of an expression as it stands in the file. */
export const sourceText = (node: { readonly source: Source; readonly start: number; readonly end: number }) =>
  node.source.text.slice(node.start, node.end);

export const headRange = (block: Block) => block.source.range(block.start, block.headEnd);

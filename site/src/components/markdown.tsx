/**
 * Markdown of templates as elements: the text is parsed to tokens and each token becomes an element, so nothing in it can
 * become markup of its own. HTML inside is shown as text; links lead to the web only.
 */
import { Fragment, type ReactNode } from "react";
import { lexer, type MarkedToken, type Token, type Tokens } from "marked";

/** Template authors may begin with YAML between dashes. */
const frontMatter = /^---\r?\n[\s\S]*?\r?\n---\r?\n/;

/** `top`: level of its highest heading on this page. */
export function Markdown({ text, top = 2 }: { readonly text: string; readonly top?: number }) {
  return <div className="markdown">{blocks(lexer(text.replace(frontMatter, "")), top)}</div>;
}

const blocks = (tokens: readonly Token[], top: number): ReactNode =>
  tokens.map((token, at) => <Fragment key={at}>{block(known(token), top)}</Fragment>);

const inlines = (tokens: readonly Token[] | undefined): ReactNode =>
  (tokens ?? []).map((token, at) => <Fragment key={at}>{inline(known(token))}</Fragment>);

/** Only extensions make generic tokens, and there are none. */
const known = (token: Token): MarkedToken => token as MarkedToken;

function block(token: MarkedToken, top: number): ReactNode {
  switch (token.type) {
    case "heading": {
      const level = Math.min(6, token.depth + top - 1);
      const Heading = headings[level - 1] ?? "h6";
      return <Heading>{inlines(token.tokens)}</Heading>;
    }
    case "paragraph":
      return <p>{inlines(token.tokens)}</p>;
    case "code":
      return (
        <pre tabIndex={0} aria-label="Code">
          <code>{token.text}</code>
        </pre>
      );
    case "blockquote":
      return <blockquote>{blocks(token.tokens, top)}</blockquote>;
    case "list":
      return <List list={token} top={top} />;
    case "table":
      return <Table table={token} />;
    case "hr":
      return <hr />;
    case "html":
      return withoutComments(token.text) === "" ? null : <p>{withoutComments(token.text)}</p>;
    case "space":
    case "def":
      return null;
    default:
      return inline(token);
  }
}

const headings = ["h1", "h2", "h3", "h4", "h5", "h6"] as const;

const withoutComments = (html: string): string => html.replaceAll(/<!--[\s\S]*?-->/g, "").trim();

function List({ list, top }: { readonly list: Tokens.List; readonly top: number }) {
  const Items = list.ordered ? "ol" : "ul";
  return (
    <Items {...(typeof list.start === "number" ? { start: list.start } : {})}>
      {list.items.map((item, at) => (
        <li key={at}>{blocks(item.tokens, top)}</li>
      ))}
    </Items>
  );
}

function Table({ table }: { readonly table: Tokens.Table }) {
  return (
    <div className="table-wrap" tabIndex={0} role="region" aria-label="Table">
      <table>
        <thead>
          <tr>
            {table.header.map((cell, at) => (
              <th key={at} scope="col">
                {inlines(cell.tokens)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, at) => (
            <tr key={at}>
              {row.map((cell, column) => (
                <td key={column}>{inlines(cell.tokens)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function inline(token: MarkedToken): ReactNode {
  switch (token.type) {
    case "strong":
      return <strong>{inlines(token.tokens)}</strong>;
    case "em":
      return <em>{inlines(token.tokens)}</em>;
    case "del":
      return <del>{inlines(token.tokens)}</del>;
    case "codespan":
      return <code>{token.text}</code>;
    case "br":
      return <br />;
    case "link":
      return /^https?:\/\//i.test(token.href) ? (
        <a href={token.href} target="_blank" rel="noreferrer">
          {inlines(token.tokens)}
        </a>
      ) : (
        inlines(token.tokens)
      );
    case "image":
      return /^https:\/\//i.test(token.href) ? (
        <img src={token.href} alt={token.text} loading="lazy" />
      ) : (
        token.text
      );
    case "text":
      return "tokens" in token && token.tokens !== undefined ? inlines(token.tokens) : unescape(token.text);
    case "escape":
      return token.text;
    case "html":
      return withoutComments(token.text);
    default:
      return "text" in token ? token.text : null;
  }
}

const entities: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
  "&nbsp;": "\u00a0",
};

/** The few entities that people write in READMEs. */
const unescape = (text: string): string =>
  text.replaceAll(/&(?:amp|lt|gt|quot|#39|nbsp);/g, (entity) => entities[entity] ?? entity);

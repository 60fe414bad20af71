/** Markdown without its marks, for one-line displays: links become their text, emphasis and headings their words. */
export function plaintext(markdown: string): string {
  return markdown
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll(/^ {0,3}(?:#{1,6}|>|[-*+])[ \t]+/gm, "")
    .replaceAll(/(`+)([^`]*)\1/g, "$2")
    .replaceAll(/(\*\*|__|~~)(?=\S)([^\n]*?\S)\1/g, "$2")
    .replaceAll(/(^|[^\w*_])([*_])(?=\S)([^\n*_]*?\S)\2(?![\w*_])/g, "$1$3")
    .trim();
}

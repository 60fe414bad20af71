/** A unified diff of two texts that differ in one stretch of lines, which is all that config-ssh changes. */
export function unifiedDiff(from: string, to: string, name: string): string {
  if (from === to) return "";
  const a = linesOf(from);
  const b = linesOf(to);
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const context = 3;
  const start = Math.max(0, head - context);
  const rest = Math.min(tail, context);
  const hunk = (lines: readonly string[]): string => {
    const count = lines.length - tail + rest - start;
    // An empty side is named by the line before it.
    return `${count === 0 ? start : start + 1},${count}`;
  };
  return [
    `--- ${name}`,
    `+++ ${name}.new`,
    `@@ -${hunk(a)} +${hunk(b)} @@`,
    ...a.slice(start, head).map((line) => ` ${line}`),
    ...a.slice(head, a.length - tail).map((line) => `-${line}`),
    ...b.slice(head, b.length - tail).map((line) => `+${line}`),
    ...a.slice(a.length - tail, a.length - tail + rest).map((line) => ` ${line}`),
    "",
  ].join("\n");
}

const linesOf = (text: string): string[] => (text === "" ? [] : text.replace(/\n$/, "").split("\n"));

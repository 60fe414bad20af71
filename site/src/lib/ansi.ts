/** Terminal colours in log lines → classes; everything else that steers a terminal is dropped. Pure. */

export interface Segment {
  readonly text: string;
  /** Such as `ansi-31 ansi-bold`; empty for plain text. */
  readonly className: string;
}

interface Style {
  readonly bold: boolean;
  readonly dim: boolean;
  /** 30–37 or 90–97; 0 is the default. */
  readonly colour: number;
}

const plain: Style = { bold: false, dim: false, colour: 0 };

// CSI, OSC (ended by BEL or ST), other escapes of two characters, and single control characters except tab.
const controls =
  // oxlint-disable-next-line no-control-regex
  /\u001b\[([0-9;:?]*)[ -/]*([@-~])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b.?|[\u0000-\u0008\u000a-\u001f\u007f]/g;

export function ansiSegments(line: string): readonly Segment[] {
  const out: Segment[] = [];
  let style = plain;
  let from = 0;
  const push = (text: string): void => {
    if (text !== "") out.push({ text, className: classOf(style) });
  };
  for (const match of line.matchAll(controls)) {
    push(line.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[2] === "m") style = restyle(style, match[1] ?? "");
  }
  push(line.slice(from));
  return out;
}

function restyle(style: Style, codes: string): Style {
  const numbers = codes.split(";").map(Number);
  let next = style;
  for (let at = 0; at < numbers.length; at++) {
    const code = numbers[at] ?? 0;
    if (code === 0) next = plain;
    else if (code === 1) next = { ...next, bold: true };
    else if (code === 2) next = { ...next, dim: true };
    else if (code === 22) next = { ...next, bold: false, dim: false };
    else if (code === 39) next = { ...next, colour: 0 };
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) next = { ...next, colour: code };
    // 256 and true colours bring their own numbers; shown in the default colour.
    else if (code === 38 || code === 48) at += numbers[at + 1] === 5 ? 2 : 4;
  }
  return next;
}

const classOf = ({ bold, dim, colour }: Style): string =>
  [colour === 0 ? "" : `ansi-${colour}`, bold ? "ansi-bold" : "", dim ? "ansi-dim" : ""]
    .filter((name) => name !== "")
    .join(" ");

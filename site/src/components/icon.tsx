/** Line icons, 16 × 16; decorations beside a text, or with a label of their own. */

const paths = {
  play: "M5 3.5v9l7-4.5z",
  stop: "M4 4h8v8H4z",
  restart: "M13 8a5 5 0 1 1-1.6-3.7M13 2.5V5h-2.5",
  update: "M8 12.5v-9M4.5 7L8 3.5 11.5 7",
  trash: "M3 4.5h10M6.5 4V2.5h3V4M4.5 4.5l.5 9h6l.5-9M7 7v4M9 7v4",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.5 10.5l3 3",
  plus: "M8 3v10M3 8h10",
  terminal: "M3 4.5l3.5 3.5L3 11.5M8.5 12H13",
  copy: "M5.5 5.5h7v7h-7zM10.5 5.5v-2h-7v7h2",
  check: "M3 8.5l3.5 3.5L13 4.5",
  external: "M9.5 3H13v3.5M13 3L7.5 8.5M11 9.5V13H3V5h3.5",
  star: "M8 2.5l1.7 3.5 3.8.5-2.8 2.6.7 3.8L8 11.1l-3.4 1.8.7-3.8L2.500 6.500l3.800-.5z",
  chevron: "M4 6l4 4 4-4",
  close: "M4 4l8 8M12 4l-8 8",
  more: "M3.500 8h.01M8 8h.01M12.500 8h.01",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, filled = false }: { readonly name: IconName; readonly filled?: boolean }) {
  return (
    <svg
      className="icon"
      viewBox="0 0 16 16"
      width="16"
      height="16"
      aria-hidden="true"
      fill={filled ? "currentColor" : "none"}
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={paths[name]} />
    </svg>
  );
}

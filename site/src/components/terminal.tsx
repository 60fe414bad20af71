/** The terminal on the screen: xterm.js, sized to its place, coloured by the theme. Loaded when it is first opened. */
import { FitAddon } from "@xterm/addon-fit";
import { type ITheme, Terminal as Xterm } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { useEffect, useRef, useState } from "react";
import { useApp } from "../api/app-context.ts";
import { TerminalConnection, type TerminalState } from "../api/terminal-socket.ts";
import { useStore } from "../lib/store.ts";

interface TerminalProps {
  readonly agentId: string;
  readonly reconnectId: string;
  readonly command: string;
  readonly onState: (state: TerminalState) => void;
  readonly onTitle: (title: string) => void;
}

const scrollback = 10_000;

const themes: Readonly<Record<"light" | "dark", ITheme>> = {
  dark: { background: "#0c1015", foreground: "#e3e8ee", cursor: "#7aaaff", selectionBackground: "#2f4a78" },
  light: {
    background: "#ffffff",
    foreground: "#18202b",
    cursor: "#1f5fd0",
    selectionBackground: "#c6d8f8",
    black: "#18202b",
    red: "#b3261e",
    green: "#17703a",
    yellow: "#8a5a00",
    blue: "#1f5fd0",
    magenta: "#8a2a9e",
    cyan: "#0b6e7a",
    white: "#556070",
    brightBlack: "#667080",
    brightRed: "#c73a31",
    brightGreen: "#1f8a49",
    brightYellow: "#a06a00",
    brightBlue: "#3a74dd",
    brightMagenta: "#a03fb5",
    brightCyan: "#14808d",
    brightWhite: "#18202b",
  },
};

function useDark(): boolean {
  const { theme } = useApp();
  const chosen = useStore(theme);
  const [system, setSystem] = useState(() => matchMedia("(prefers-color-scheme: dark)").matches);
  useEffect(() => {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const changed = (): void => setSystem(query.matches);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, []);
  return chosen === "system" ? system : chosen === "dark";
}

export function Terminal({ agentId, reconnectId, command, onState, onTitle }: TerminalProps) {
  const { client, clock } = useApp();
  const place = useRef<HTMLDivElement>(null);
  const [screen, setScreen] = useState<Xterm>();
  const dark = useDark();
  useEffect(() => {
    if (place.current === null) return;
    const xterm = new Xterm({
      scrollback,
      fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--mono"),
      fontSize: 14,
      screenReaderMode: false,
      macOptionIsMeta: true,
    });
    const fit = new FitAddon();
    xterm.loadAddon(fit);
    xterm.open(place.current);
    fit.fit();
    xterm.focus();
    const connection = new TerminalConnection({
      client,
      clock,
      agentId,
      reconnectId,
      command,
      size: () => ({ height: xterm.rows, width: xterm.cols }),
      onBytes: (bytes) => xterm.write(bytes),
      onConnect: () => xterm.reset(),
      onState,
    });
    xterm.onData((text) => connection.type(text));
    xterm.onBinary((text) => connection.type(text));
    xterm.onResize(({ rows, cols }) => connection.resize({ height: rows, width: cols }));
    xterm.onTitleChange(onTitle);
    xterm.attachCustomKeyEventHandler((event) => copyKey(event, xterm));
    const observer = new ResizeObserver(() => fit.fit());
    observer.observe(place.current);
    const again = (): void => connection.reconnect();
    window.addEventListener("online", again);
    document.addEventListener("visibilitychange", again);
    setScreen(xterm);
    return () => {
      window.removeEventListener("online", again);
      document.removeEventListener("visibilitychange", again);
      observer.disconnect();
      connection[Symbol.dispose]();
      xterm.dispose();
    };
  }, [client, clock, agentId, reconnectId, command, onState, onTitle]);
  useEffect(() => {
    if (screen !== undefined) paint(screen, themes[dark ? "dark" : "light"]);
  }, [screen, dark]);
  return <div ref={place} className="terminal" />;
}

function paint(xterm: Xterm, theme: ITheme): void {
  xterm.options.theme = theme;
}

/** Ctrl+Shift+C copies, because Ctrl+C is the shell's. Pasting is the browser's own. False: the terminal gets nothing. */
function copyKey(event: KeyboardEvent, xterm: Xterm): boolean {
  if (event.type !== "keydown" || !event.ctrlKey || !event.shiftKey || event.code !== "KeyC") return true;
  if (xterm.hasSelection()) {
    event.preventDefault();
    void navigator.clipboard.writeText(xterm.getSelection());
  }
  return false;
}

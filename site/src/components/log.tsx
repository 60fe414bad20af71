/** Log lines in a box that follows its end, unless one has scrolled up to read. */
import { memo, type ReactNode, useLayoutEffect, useRef } from "react";
import type { LogLevel } from "#codersdk/provisionerjobs.ts";
import { ansiSegments } from "../lib/ansi.ts";

interface LogBoxProps {
  readonly label: string;
  readonly children: ReactNode;
  /** Changes when lines come. */
  readonly length: number;
}

export function LogBox({ label, children, length }: LogBoxProps) {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  useLayoutEffect(() => {
    const element = box.current;
    if (element && atEnd.current) element.scrollTop = element.scrollHeight;
  }, [length]);
  return (
    <div
      ref={box}
      className="log"
      role="log"
      aria-live="off"
      aria-label={label}
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        atEnd.current = scrollHeight - scrollTop - clientHeight < 24;
      }}
    >
      {children}
    </div>
  );
}

interface LogLineProps {
  readonly level: LogLevel;
  readonly output: string;
}

export const LogLine = memo(function LogLine({ level, output }: LogLineProps) {
  return (
    <div className={`log-line log-${level}`}>
      {ansiSegments(output).map(({ text, className }, at) =>
        className === "" ? (
          text
        ) : (
          <span key={at} className={className}>
            {text}
          </span>
        ),
      )}
    </div>
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { portsToShow } from "./ports.ts";

const port = (number: number) => ({ process_name: "p", network: "tcp", port: number });

test("ports of apps and of services without pages are left out", () => {
  const ports = [22, 80, 443, 3000, 5432, 8080, 9000].map(port);
  const apps = [
    { url: "http://localhost:8080/x" },
    { url: "https://127.0.0.1" },
    { url: "http://elsewhere.test:9000" },
    { url: undefined },
    { url: "vscode://open" },
  ];
  assert.deepEqual(
    portsToShow(ports, apps).map((one) => one.port),
    [80, 3000, 9000],
  );
});

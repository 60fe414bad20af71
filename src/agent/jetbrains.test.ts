import assert from "node:assert/strict";
import { test } from "node:test";
import { JetBrainsPorts } from "./jetbrains.ts";

test("a listener is looked up once; other hosts never", async () => {
  const asked: string[] = [];
  const ports = new JetBrainsPorts({
    listeners: async () => [
      { port: 5990, inode: "1" },
      { port: 8080, inode: "2" },
    ],
    commandLine: async (inode) => {
      asked.push(inode);
      return inode === "1"
        ? "/opt/jbr/bin/java -Didea.vendor.name=JetBrains com.intellij.Main"
        : "python3 -m http.server";
    },
  });
  assert.deepEqual(await Promise.all([1, 2, 3].map(() => ports.is("localhost", 5990))), [true, true, true]);
  assert.equal(await ports.is("127.0.0.1", 8080), false);
  assert.equal(await ports.is("127.0.0.1", 1), false);
  assert.equal(await ports.is("db.internal", 5990), false);
  assert.deepEqual(asked, ["1", "2"]);
});

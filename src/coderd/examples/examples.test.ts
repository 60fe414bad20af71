import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { readArchive } from "#provisionersdk/archive.ts";
import { tempDir } from "#testutil/testutil.ts";
import { packExample, readExamples } from "./examples.ts";

test("folders with a head in their README are examples, others are not", async (t) => {
  const dir = await tempDir(t);
  await mkdir(join(dir, "one/more"), { recursive: true });
  await mkdir(join(dir, "two"));
  await writeFile(
    join(dir, "one/README.md"),
    "---\ndisplay_name: One\ndescription: First\nicon: /icon/x.svg\ntags: [a, b]\n---\n\n# One\n",
  );
  await writeFile(join(dir, "one/main.tf"), "# one");
  await writeFile(join(dir, "one/more/run.sh"), "true");
  await writeFile(join(dir, "two/README.md"), "# no head");
  const examples = await readExamples(dir);
  assert.deepEqual(
    examples.map(({ about }) => about),
    [
      {
        id: "one",
        url: "",
        name: "One",
        description: "First",
        icon: "/icon/x.svg",
        tags: ["a", "b"],
        markdown: "# One\n",
      },
    ],
  );
  const [one] = examples;
  assert.ok(one);
  const files = await readArchive(await packExample(one));
  assert.deepEqual(
    files.map(({ path, mode }) => [path, mode]),
    [
      ["README.md", 0o644],
      ["main.tf", 0o644],
      ["more/run.sh", 0o755],
    ],
  );
});

test("without a folder there are none", async (t) => {
  assert.deepEqual(await readExamples(join(await tempDir(t), "none")), []);
});

test("this repository's starter templates can be read", async () => {
  assert.ok((await readExamples()).some(({ about }) => about.id === "local"));
});

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { tempDir } from "#testutil/testutil.ts";
import { needsInit } from "./needs-init.ts";

const coder =
  'terraform {\n required_providers {\n  coder = { source = "coder/coder", version = "~> 2.0" }\n }\n}\n';
const agent = 'resource "coder_agent" "a" {\n os = "linux"\n}\n';

const cases: readonly (readonly [needs: boolean, name: string, files: Readonly<Record<string, string>>])[] = [
  [false, "coder and terraform_data", { "main.tf": `${coder}${agent}resource "terraform_data" "d" {}\n` }],
  [
    false,
    "harmless blocks, two files",
    { "a.tf": coder, "b.tf": 'variable "x" {}\nlocals {}\noutput "o" {\n value = 1\n}\n' },
  ],
  [false, "our provider's block", { "main.tf": `${coder}provider "coder" {\n url = "https://x"\n}\n` }],
  [true, "another provider", { "main.tf": `${coder}resource "docker_image" "d" {}\n` }],
  [true, "another provider's data", { "main.tf": `${coder}data "docker_network" "d" {}\n` }],
  [
    true,
    "another provider required",
    { "main.tf": 'terraform {\n required_providers {\n  docker = { source = "a/b" }\n }\n}\n' },
  ],
  [true, "another source of ours", { "main.tf": coder.replace("coder/coder", "evil/coder") }],
  [true, "no source of ours", { "main.tf": agent }],
  [true, "an alias", { "main.tf": `${coder}resource "coder_agent" "a" {\n provider = coder.b\n}\n` }],
  [true, "a module", { "main.tf": `${coder}module "m" {\n source = "./m"\n}\n` }],
  [true, "a backend", { "main.tf": `${coder}terraform {\n backend "local" {}\n}\n` }],
  [true, "a kind of block that may need a provider", { "main.tf": `${coder}check "c" {}\n` }],
  [true, "JSON syntax", { "main.tf": coder, "more.tf.json": "{}" }],
  [true, "a syntax error", { "main.tf": `${coder}resource {` }],
  [true, "nothing at all", {}],
];

test("needsInit() skips init only where it surely has nothing to do", async (t) => {
  for (const [needs, name, files] of cases) {
    const dir = await tempDir(t);
    for (const [file, text] of Object.entries(files)) await writeFile(join(dir, file), text);
    assert.equal(await needsInit(dir), needs, name);
  }
  const restored = await tempDir(t);
  await writeFile(join(restored, "main.tf"), coder);
  await mkdir(join(restored, ".terraform"));
  assert.equal(await needsInit(restored), true);
});

/** A build in a process of its own, to be killed: `node crash-child.ts WORKDIR LOG`. Test only. */
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { nativeEngine } from "../engine.ts";
import { runBuild } from "./session.ts";

const [, , workDir = "", log = ""] = process.argv;
const engine = nativeEngine({
  rand: cryptoRand,
  os: "linux",
  arch: "amd64",
  env: { PATH: process.env["PATH"] },
});
const links = Array.from(
  { length: 12 },
  (_none, at) => `
resource "terraform_data" "r${at}" {
  input = ${at === 0 ? '"x"' : `terraform_data.r${at - 1}.output`}
  provisioner "local-exec" {
    command = "echo ${at} >> ${log}; sleep 0.01"
  }
}
`,
);
await runBuild(engine, workDir, { files: { "main.tf": links.join("") } });

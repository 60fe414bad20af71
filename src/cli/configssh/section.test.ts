import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { unifiedDiff } from "./diff.ts";
import {
  defaultOptions,
  optionLines,
  renderSection,
  type SectionInput,
  splitConfig,
  storedOptions,
  withSection,
} from "./section.ts";

const input: SectionInput = {
  options: defaultOptions,
  deployment: { hostPrefix: "coder.", hostnameSuffix: "coder", options: {} },
  binary: "/usr/bin/coder",
  configDir: "/home/u/.config/coderv2",
};
const start = "# ------------START-CODER-----------";
const end = "# ------------END-CODER------------";

describe("the block", () => {
  it("has both kinds of host names, with options, stored options and the program", () => {
    const section = renderSection({
      ...input,
      binary: "/path/coder",
      configDir: "/cfg",
      options: {
        wait: "no",
        disableAutostart: false,
        hostPrefix: "bar-",
        hostnameSuffix: "foo",
        sshOptions: ["ForwardAgent=yes"],
        headers: ["a=b"],
        headerCommand: "echo x=y",
      },
    });
    const at = section.indexOf("# Last config-ssh options:");
    const options =
      "\tForwardAgent=yes\n\tConnectTimeout=0\n\tStrictHostKeyChecking=no\n\tUserKnownHostsFile=/dev/null\n\tLogLevel ERROR\n";
    const run = `/path/coder --global-config /cfg --header "a=b" --header-command "echo x=y" ssh --stdio --wait=no`;
    assert.ok(section.startsWith(`${start}\n# `));
    assert.equal(
      section.slice(at),
      `# Last config-ssh options:\n# :wait=no\n# :ssh-host-prefix=bar-\n# :hostname-suffix=foo\n# :ssh-option=ForwardAgent=yes\n# :header=a=b\n# :header-command=echo x=y\n#\nHost bar-*\n${options}\tProxyCommand ${run} --ssh-host-prefix bar- %h\n\nHost *.foo\n${options}\nMatch host *.foo !exec "/path/coder connect exists %h"\n\tProxyCommand ${run} --hostname-suffix foo %h\n${end}\n`,
    );
  });

  it("stores options and reads them back", () => {
    const options = {
      wait: "yes",
      disableAutostart: true,
      hostPrefix: "p.",
      hostnameSuffix: "s",
      sshOptions: ["A=1", "B 2"],
      headers: ["x=y=z"],
      headerCommand: "cat 'a b'",
    } as const;
    assert.deepEqual(storedOptions(renderSection({ ...input, options })), options);
    assert.deepEqual(storedOptions(renderSection(input)), defaultOptions);
    assert.deepEqual(optionLines(defaultOptions), []);
  });

  it("the user's options win over the deployment's, those over ours; an empty one takes a key away", () => {
    const section = renderSection({
      ...input,
      deployment: {
        ...input.deployment,
        options: { connecttimeout: "5", LogLevel: "INFO", Compression: "yes" },
      },
      options: { ...defaultOptions, sshOptions: ["LogLevel=", "IdentityFile ~/a", "IdentityFile ~/b"] },
    });
    const host = section.slice(section.indexOf("Host *.coder"), section.indexOf("\n\nMatch"));
    assert.equal(
      host,
      "Host *.coder\n\tIdentityFile ~/a\n\tIdentityFile ~/b\n\tCompression yes\n\tconnecttimeout 5\n\tStrictHostKeyChecking=no\n\tUserKnownHostsFile=/dev/null",
    );
  });

  for (const [key, value] of [
    ["ProxyCommand", "evil"],
    ["proxycommand", "evil"],
    ['"ProxyCommand"', "evil"],
    ["PermitLocalCommand", "yes"],
    ["Include", "/tmp/x"],
    ["Compression", "yes\nProxyCommand evil"],
    ["A B", "x"],
    ["SecurityKeyProvider", "/tmp/evil.so"],
  ] as const) {
    it(`refuses the deployment's option ${JSON.stringify(key)} ${JSON.stringify(value)}`, () => {
      const deployment = { ...input.deployment, options: { [key]: value } };
      assert.throws(() => renderSection({ ...input, deployment }), /refused|line breaks/);
    });
  }

  it("refuses a prefix or suffix that would become another line or a command", () => {
    for (const evil of ["x\nHost *", "x;evil", "$(evil)", "a b", '"']) {
      for (const name of ["hostPrefix", "hostnameSuffix"] as const) {
        const deployment = { ...input.deployment, [name]: evil };
        assert.throws(() => renderSection({ ...input, deployment }), /letters, digits/);
      }
    }
  });

  it("quotes paths for OpenSSH and for the shell", () => {
    const section = renderSection({ ...input, binary: "/a b/100%/co$der" });
    assert.match(section, /ProxyCommand "\/a b\/100%%\/co\\\$der" --global-config/);
    assert.match(section, /!exec "\/a\\ b\/100%%\/co\\\$der connect exists %h"/);
    assert.throws(() => renderSection({ ...input, binary: '/a"b' }), /must not contain a quote/);
    assert.throws(() => renderSection({ ...input, configDir: "/a\nb" }), /line breaks/);
  });
});

describe("the file around the block", () => {
  const section = renderSection(input);

  it("is kept, whatever it is, and a second run changes nothing", () => {
    const line = fc.stringMatching(/^[ -~]{0,12}$/);
    fc.assert(
      fc.property(fc.array(line), fc.array(line), (head, tail) => {
        const before = head.map((one) => `${one}\n`).join("");
        const after = tail.map((one) => `${one}\n`).join("");
        const first = withSection(splitConfig(before), section);
        assert.ok(first.startsWith(before));
        const text = first + after;
        assert.equal(withSection(splitConfig(text), section), text);
        const found = splitConfig(text);
        assert.deepEqual([found.section, found.after], [section, after]);
        // Removing the block gives back what was there.
        assert.equal(found.before, before === "\n" ? "\n" : before);
      }),
    );
  });

  it("takes a file without a last newline", () => {
    const text = withSection(splitConfig("Host a"), section);
    assert.equal(text, `Host a\n\n${section}`);
    assert.equal(withSection(splitConfig(text), section), text);
  });

  for (const [what, text] of [
    ["two starts", `${start}\n${start}\n${end}\n`],
    ["two ends", `${start}\n${end}\n${end}\n`],
    ["no end", `a\n${start}\n`],
    ["no start", `${end}\n`],
    ["reversed", `${end}\n${start}\n`],
  ] as const) {
    it(`refuses ${what}`, () => assert.throws(() => splitConfig(text), /Malformed config/));
  }
});

describe("unifiedDiff()", () => {
  it("shows the changed stretch with three lines around it", () => {
    const from = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    assert.equal(
      unifiedDiff(from, from.replace("5\n", "five\nsix\n"), "f"),
      "--- f\n+++ f.new\n@@ -2,7 +2,8 @@\n 2\n 3\n 4\n-5\n+five\n+six\n 6\n 7\n 8\n",
    );
    assert.equal(unifiedDiff("", "a\n", "f"), "--- f\n+++ f.new\n@@ -0,0 +1,1 @@\n+a\n");
    assert.equal(unifiedDiff(from, from, "f"), "");
  });
});
